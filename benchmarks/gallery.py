"""Measures the gallery of a large job in a real Chromium, on a running service.

python -m benchmarks.gallery http://127.0.0.1:8000 --n 100000
"""

import argparse
import shutil
import statistics
import sys
import time
from typing import Any

import httpx
from playwright.sync_api import CDPSession, Page, sync_playwright

_SCROLLS = (20, 200, 2000)
"""Pixels that the grid scrolls in each frame."""
_SCROLL_SECONDS = 4.0
_MISSING = ".grid-row:not([hidden]) > .cell:not([hidden]):not(.there)"
_SCROLL = """async ([pixels, milliseconds]) => {
  const grid = document.querySelector(".image-grid");
  const began = performance.now();
  const frames = [];
  let last = began;
  while (performance.now() - began < milliseconds) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    grid.scrollTop += pixels;
  }
  return frames;
}"""


def main() -> None:
    """Print the figures of the gallery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--job", help="id of a job that has succeeded; by default a new one")
    options = parser.parse_args()
    job_id = options.job or _request_job(options.server, options.n)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(f"{options.server}/#/job/{job_id}")
        page.locator(".cell.there").first.wait_for()
        _report(f"DOM nodes: {_nodes(page)}")
        for pixels in _SCROLLS:
            _measure_scroll(page, session, pixels)
        _measure_jump(page)
        heap = _metrics(session)["JSHeapUsedSize"]
        _report(f"heap: {heap / 1e6:.1f} MB; DOM nodes: {_nodes(page)}")
        browser.close()


def _request_job(server: str, n: int) -> str:
    with httpx.Client(base_url=server, timeout=120) as client:
        job = client.post("/generate", params={"n": n, "seed": 1}).raise_for_status().json()
        while not job["done"]:
            job = client.get(f"/jobs/{job['id']}", headers={"Prefer": "wait=30"}).json()
    return str(job["id"])


def _measure_scroll(page: Page, session: CDPSession, pixels: int) -> None:
    before = _metrics(session)["ScriptDuration"]
    frames = sorted(page.evaluate(_SCROLL, [pixels, 1000 * _SCROLL_SECONDS]))
    script = 1000 * (_metrics(session)["ScriptDuration"] - before) / len(frames)
    rate, p95 = len(frames) / _SCROLL_SECONDS, frames[int(0.95 * len(frames))]
    shown = _wait_until_shown(page)
    _report(f"{pixels} px a frame: {rate:.0f} frames/s, median {statistics.median(frames):.0f} ms, p95 {p95:.0f} ms")
    _report(f"  longest {frames[-1]:.0f} ms; script {script:.2f} ms a frame; all shown after {shown:.0f} ms")


def _measure_jump(page: Page) -> None:
    page.get_by_role("grid").focus()
    page.keyboard.press("Home")
    _wait_until_shown(page)
    page.keyboard.press("End")
    _report(f"End: all shown after {_wait_until_shown(page):.0f} ms")


def _wait_until_shown(page: Page) -> float:
    """Return the milliseconds until all visible cells have their images."""
    began = time.perf_counter()
    while page.locator(_MISSING).count():
        time.sleep(0.01)
    return 1000 * (time.perf_counter() - began)


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _nodes(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def _metrics(session: CDPSession) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


if __name__ == "__main__":
    main()
