"""`python -m benchmarks.page_beside_job`: times exact images in Play, alone and beside a large job, and what both cost.

It needs Chromium, and Playwright of the tests. Run it on a quiet machine. With `--apart`, the worker has the first core
for itself, and the browser, the API and the queue share the others: so a loss of the job's speed comes from the worker.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import httpx
import typer
from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.command import console, run
from benchmarks.page import SLIDER, open_browser, report, wait_until
from benchmarks.service_processes import WORKER, ServiceProcesses
from models.registry import zoo

_REST_MS = 150
"""The page takes a slider for resting after this time."""
_IDLE_MS, _BUSY_MS, _MEMORY_MB, _LOSS_PERCENT = 100, 150, 200, 5
"""Goals on a quiet machine."""
_SIZE: ViewportSize = {"width": 1280, "height": 900}
_WINDOW_SECONDS, _PAUSE_SECONDS, _JOB_SECONDS = 5.0, 0.3, 600
_SCROLLED_PIXELS = 200

_REST = """async (slider, value) => {
  const overlay = document.querySelector(".stage img:last-of-type");
  const shown = new Promise((resolve) => {
    let wasHidden = false;
    new MutationObserver((_, observer) => {
      wasHidden ||= overlay.hidden;
      if (overlay.hidden || !wasHidden) return;
      observer.disconnect();
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now());
        port2.postMessage(null);
      });
    }).observe(overlay, { attributes: true, attributeFilter: ["hidden"] });
  });
  const moved = performance.now();
  slider.value = String(value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  return (await shown) - moved;
}"""
_SCROLL = """([pixels, milliseconds]) => {
  const grid = document.querySelector(".image-grid");
  const began = performance.now();
  const move = () => {
    if (performance.now() - began > milliseconds) return;
    grid.scrollTop += pixels;
    if (grid.scrollTop + grid.clientHeight >= grid.scrollHeight) grid.scrollTop = 0;
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
}"""


def main(
    rests: Annotated[int, typer.Option(min=5, help="Rests of the slider on the idle service.")] = 40,
    n: Annotated[int, typer.Option(min=20_000, help="Images of each of the two jobs.")] = 100_000,
    apart: Annotated[bool, typer.Option("--apart", help="Give the worker a core for itself.")] = False,
    chromium: Annotated[str | None, typer.Option(help="The browser; default: one that is installed.")] = None,
) -> None:
    """Time exact images, and compare with the goals."""
    if apart:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[1:])
    with _service(apart) as service, open_browser(chromium) as browser:
        console.print(f"{browser.browser_type.name} {browser.version}, load {os.getloadavg()[0]:.1f}")
        play = _open_play(browser, service.url)
        values = cycle(0.5 + 0.001 * step for step in range(500))
        _report_rests("exact image, idle", [_rest(play, next(values)) for _ in range(rests)], _IDLE_MS)
        gallery = _open_gallery(browser, service.url, _finish(service.url, _request(service.url, n)))
        beside = _Beside(service.url, _request(service.url, n), play, gallery, values)
        beside.run()
        _report_rests("exact image beside a job", beside.rests, _BUSY_MS)
        report("loss of the job's speed", beside.loss(), "%", beside.loss() < _LOSS_PERCENT, f"< {_LOSS_PERCENT}")
        memory = service.peak_mb()["api"]
        report("memory of the API, peak", memory, "MB", memory < _MEMORY_MB, f"< {_MEMORY_MB}")


class _Beside:
    """Speed of a job without pages, and with pages that scroll and play, in turn."""

    def __init__(self, url: str, job_id: str, play: Page, gallery: Page, values: "cycle[float]") -> None:
        self._client = httpx.Client(base_url=url, timeout=60)
        self._job_id = job_id
        self._play, self._gallery, self._values = play, gallery, values
        self.rests: list[float] = []
        """Milliseconds from a rest of the slider until the exact image was painted."""
        self._quiet: list[float] = []
        self._watched: list[float] = []

    def run(self) -> None:
        """Alternate until the job is done."""
        while self._done() == 0:
            time.sleep(_PAUSE_SECONDS)
        while (rate := self._rate(self._wait)) is not None:
            self._quiet.append(rate)
            if (rate := self._rate(self._look)) is None:
                break
            self._watched.append(rate)
        console.print(f"images/s alone:   {', '.join(f'{each:.0f}' for each in self._quiet)}")
        console.print(f"images/s watched: {', '.join(f'{each:.0f}' for each in self._watched)}")

    def loss(self) -> float:
        """Return the loss of speed in percent."""
        return 100 * (1 - median(self._watched) / median(self._quiet))

    def _rate(self, spend: Callable[[], None]) -> float | None:
        """Return images a second while the time is spent, or None if the job ended."""
        began, before = time.perf_counter(), self._done()
        spend()
        after, seconds = self._done(), time.perf_counter() - began
        return None if self._job()["done"] else (after - before) / seconds

    def _wait(self) -> None:
        time.sleep(_WINDOW_SECONDS)

    def _look(self) -> None:
        self._gallery.evaluate(_SCROLL, [_SCROLLED_PIXELS, 1000 * _WINDOW_SECONDS])
        began = time.perf_counter()
        while time.perf_counter() - began < _WINDOW_SECONDS:
            self.rests.append(_rest(self._play, next(self._values)))
            time.sleep(_PAUSE_SECONDS)

    def _done(self) -> int:
        return int(self._job()["images_done"])

    def _job(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(f"/jobs/{self._job_id}").raise_for_status().json()
        return found


@contextmanager
def _service(apart: bool) -> Iterator[ServiceProcesses]:
    with tempfile.TemporaryDirectory() as folder, ServiceProcesses(Path(folder)) as service:
        if apart:
            mine = os.sched_getaffinity(0)
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
            service.start_workers(1, WORKER, {"IMAGEMILL_DEVICE": "cpu", "IMAGEMILL_THREADS": "1"}, is_pinned=True)
            os.sched_setaffinity(0, mine)
        else:
            service.start_workers(1, WORKER, {"IMAGEMILL_DEVICE": "cpu"})
        models = Path(folder, "store", "models")
        wait_until("the files of the models", lambda: len(list(models.glob("*/engine-*.json"))) == len(zoo()))
        yield service


def _open_play(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport=_SIZE).new_page()
    page.goto(f"{url}/")
    page.locator(".stage img:last-of-type:not([hidden])").wait_for()
    return page


def _open_gallery(browser: Browser, url: str, job_id: str) -> Page:
    page = browser.new_context(viewport=_SIZE).new_page()
    page.goto(f"{url}/#/job/{job_id}")
    page.locator(".cell.there").first.wait_for()
    return page


def _rest(page: Page, truncation: float) -> float:
    """Move the slider once. Return the milliseconds from its rest until the exact image is painted."""
    return float(page.locator(SLIDER).evaluate(_REST, truncation)) - _REST_MS


def _request(url: str, n: int) -> str:
    answer = httpx.post(f"{url}/generate", params={"n": n}, timeout=60).raise_for_status()
    return str(answer.json()["id"])


def _finish(url: str, job_id: str) -> str:
    deadline = time.monotonic() + _JOB_SECONDS
    while not httpx.get(f"{url}/jobs/{job_id}", headers={"Prefer": "wait=30"}, timeout=60).json()["done"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the job did not end within {_JOB_SECONDS} s")
    return job_id


def _report_rests(name: str, times: list[float], goal: float) -> None:
    times = sorted(times)
    middle, late = median(times), times[int(0.95 * len(times))]
    report(f"{name}, median", middle, "ms", middle < goal, f"< {goal}")
    console.print(f"{'  95 %, longest':28}{late:.1f}, {times[-1]:.1f} ms")


if __name__ == "__main__":
    run(main)
