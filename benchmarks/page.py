"""`python -m benchmarks.page`: times the view Play in Chromium: opening with an empty cache, and moving a slider.

It needs Chromium, and Playwright of the tests. Run it on a quiet machine: the browser, the API and a worker share its
cores.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses
from models.registry import zoo

_MEDIAN_MS, _P95_MS, _FIRST_FACE_MS, _FIRST_PAINT_MS, _FRAME_MS, _IMAGES_PER_S = 16, 33, 700, 200, 100, 50
"""Goals on a quiet machine."""
_WAIT_MS, _POLL_SECONDS = 30_000, 0.02
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SLIDER = 'input[name="truncation"]'

_WATCH = """
// A frame is painted when the task after its animation callbacks runs.
const painted = (done) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now());
  port2.postMessage(null);
});
window.stage = { images: 0, first: null, next: null };
// The exact image can be there before the first live one.
document.addEventListener("load", ({ target }) => {
  if (target.closest?.(".stage")) painted((now) => (window.stage.first ??= now));
}, true);
for (const name of ["putImageData", "drawImage"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...parameters) {
    draw.apply(this, parameters);
    if (!this.canvas.closest(".stage")) return;
    window.stage.images++;
    painted((now) => {
      window.stage.first ??= now;
      window.stage.next?.(now);
    });
  };
}
"""
_MOVES = """async (slider, count) => {
  const times = [];
  for (let i = 0; i < count; i++) {
    const shown = new Promise((resolve) => (window.stage.next = resolve));
    const began = performance.now();
    slider.value = String((i % 2 ? 0.5 : 1) + 0.05 * (i % 7));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    times.push((await shown) - began);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return times;
}"""
_DRAG = """async (slider, seconds) => {
  const began = performance.now(), before = window.stage.images;
  let last = began, longest = 0;
  while (last - began < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    slider.value = String(0.75 + 0.5 * Math.sin((now - began) / 300));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
  return [(window.stage.images - before) / seconds, longest];
}"""
_OPENING = """() => [
  performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  window.stage.first,
  performance.getEntriesByType("resource").length + 1,
  performance.getEntriesByType("resource").reduce((sum, each) => sum + each.transferSize, 0),
]"""


def main(
    moves: Annotated[int, typer.Option(min=20, help="Moves of the slider, one after the other.")] = 200,
    openings: Annotated[int, typer.Option(min=1, help="Times that the page is opened with an empty cache.")] = 7,
    chromium: Annotated[str | None, typer.Option(help="The browser; default: one that is installed.")] = None,
) -> None:
    """Time the page, and compare with its goals."""
    with _service() as url, open_browser(chromium) as browser:
        console.print(f"{browser.browser_type.name} {browser.version}, load {os.getloadavg()[0]:.1f}")
        _report_openings([_open(browser, url) for _ in range(openings)])
        page = _new_page(browser)
        page.goto(url)
        _wait_for_image(page)
        slider = page.locator(SLIDER)
        _report_moves(sorted(slider.evaluate(_MOVES, moves)))
        images, longest = slider.evaluate(_DRAG, 3)
        report("images in a drag", images, "images/s", images >= _IMAGES_PER_S, f">= {_IMAGES_PER_S}")
        report("longest frame of the drag", longest, "ms", longest < _FRAME_MS, f"< {_FRAME_MS}")


@contextmanager
def _service() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, ServiceProcesses(Path(folder)) as service:
        service.start_workers(1, WORKER, {"IMAGEMILL_DEVICE": "cpu"})
        models = Path(folder, "store", "models")
        wait_until("the files of the models", lambda: len(list(models.glob("*/engine-*.json"))) == len(zoo()))
        yield f"{service.url}/"


@contextmanager
def open_browser(chromium: str | None) -> Iterator[Browser]:
    """Open a Chromium without a window."""
    found = chromium or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise typer.BadParameter(f"no browser was found: install one of {', '.join(_BROWSERS)}, or give --chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


def _new_page(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(_WATCH)
    return page


def _open(browser: Browser, url: str) -> list[float]:
    """Open the page with an empty cache. Returns first paint and first image in ms, requests and bytes."""
    page = _new_page(browser)
    page.goto(url)
    _wait_for_image(page)
    found: list[float] = page.evaluate(_OPENING)
    page.context.close()
    return found


def _wait_for_image(page: Page) -> None:
    page.locator(SLIDER).wait_for(timeout=_WAIT_MS)
    wait_until("the first image", lambda: bool(page.evaluate("window.stage.first")))


def wait_until(name: str, is_here: Callable[[], bool]) -> None:
    """Poll until something is there; raise `TimeoutError` after half a minute."""
    deadline = time.monotonic() + _WAIT_MS / 1000
    while not is_here():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not come within {_WAIT_MS / 1000:.0f} s")
        time.sleep(_POLL_SECONDS)


def _report_openings(openings: list[list[float]]) -> None:
    paint, face, requests, size = (median(each) for each in zip(*openings, strict=True))
    report("first paint", paint, "ms", paint < _FIRST_PAINT_MS, f"< {_FIRST_PAINT_MS}")
    report("first face", face, "ms", face < _FIRST_FACE_MS, f"< {_FIRST_FACE_MS}")
    console.print(f"{'requests, bytes':28}{requests:.0f}, {size:,.0f}")


def _report_moves(times: list[float]) -> None:
    middle, late = median(times), times[int(0.95 * len(times))]
    report("slider to painted, median", middle, "ms", middle < _MEDIAN_MS, f"< {_MEDIAN_MS}")
    report("slider to painted, 95 %", late, "ms", late < _P95_MS, f"< {_P95_MS}")


def report(name: str, value: float, unit: str, is_good: bool, goal: str) -> None:
    """Print a figure beside its goal."""
    console.print(f"{name:28}{value:.1f} {unit} (goal {goal}: {'yes' if is_good else 'NO'})")


if __name__ == "__main__":
    run(main)
