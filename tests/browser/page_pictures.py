"""`python -m tests.browser.page_pictures FOLDER`: saves pictures of all views in both themes.

The service generates all images itself, by the shipped models. The two styles are drawn here.
"""

import io
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright
from rich.progress import track

from tests.browser.chromium import chromium_program
from tests.browser.local_site import LocalSite
from tests.command import COMMAND, imagemill
from tests.integration.running_service import wait_until

_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_WIDE, _NARROW, _SAVED_WIDTH = 1280, 390, 960
_MOST_BYTES = 60_000
_QUALITIES = (80, 70, 60, 50, 40, 30)
_DRAWN_MS, _PATIENCE_SECONDS = 60_000, 1200
_EPOCHS = 4
_MOST_TRIES = 20
_NOT_DRAWN = """[...document.querySelectorAll("face-image:not([data-state=drawn])")].filter((image) => {
  const { top, bottom } = image.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}).length"""
"""Counts the images inside the window that are not drawn. Those outside are drawn when they come into it."""


@dataclass(frozen=True)
class Shot:
    """One picture: a view, and what to do before it is taken."""

    name: str
    hash: str
    prepare: Callable[[Page], None] = lambda _page: None
    is_narrow: bool = False


def main(folder: Path) -> None:
    """Save all pictures into a folder. It takes some minutes, as a short training is a part of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, service(Path(place)) as site:
        finished = fill(site)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_program(), ignore_default_args=["--hide-scrollbars"]
            )
            for shot in track([*shots(finished)], "Pictures"):
                save(browser, f"{site.url}/", shot, folder)
            guard(site)
            with site.another_api(IMAGEMILL_KEYS=str(site.folder / "keys.json")) as url:
                save(browser, f"{url}/", Shot("key", "#/key"), folder)
            browser.close()


def shots(job: str) -> Iterator[Shot]:
    """The pictures of a service whose finished job is given."""
    play = "#/play/faces-64?at=1:3&from=1:3&to=31:3"  # index 3 has the class "modern"
    yield Shot("play", play, _mix)
    yield Shot("play-narrow", play, _mix, is_narrow=True)
    yield Shot("play-wall", "#/play/faces-64?at=1:0&mode=wall&wall=5&count=256")
    yield Shot("play-square", "#/play/faces-64?at=1:0&mode=square")
    yield Shot("play-compare", "#/play/faces-64?at=9:0&mode=compare")
    order = "#/order?n=600&seed=7&keep=0.5&name=portraits"
    yield Shot("order", order)
    yield Shot("order-narrow", order, is_narrow=True)
    yield Shot("jobs", "#/jobs")
    yield Shot("job", f"#/job/{job}", _exclude)
    yield Shot("styles", "#/styles", lambda page: page.locator(".tile, [aria-pressed]").first.click())
    yield Shot("models", "#/models/faces-64")
    yield Shot("runs", "#/runs/0")
    yield Shot("api", "#/api")


def fill(site: LocalSite) -> str:
    """Make jobs, styles and a training run. Returns the finished job."""
    for draw in (draw_waves, draw_tiles):
        data = io.BytesIO()
        draw().save(data, "PNG")
        site.client.post("/styles", files={"file": (f"{draw.__name__}.png", data.getvalue())}).raise_for_status()
    small = order(site, model="emoji-64", n=120, seed=3, name="icons")
    finished = order(site, model="faces-64", n=480, seed=1, keep="0.5", name="portraits")
    for job in (small, finished):
        wait(site, job)
    train(site, finished)
    order(site, model="faces-64", n=100_000, seed=2, name="training-set")
    order(site, model="emoji-64", n=2_000, seed=4, name="more-icons")
    return finished


def order(site: LocalSite, **parameters: str | int) -> str:
    """Order a job. Returns its id."""
    return str(site.client.post("/generate", params=parameters).raise_for_status().json()["id"])


def wait(site: LocalSite, job: str) -> dict[str, Any]:
    """Wait until a job has succeeded."""
    while not (found := site.client.get(f"/jobs/{job}", headers={"Prefer": "wait=20"}).json())["done"]:
        pass
    assert found["state"] == "succeeded", found
    return dict(found)


def train(site: LocalSite, job: str) -> None:
    """Fine-tune the shipped model on the images of a job, so that the run has real curves and sheets."""
    archive = site.folder / "portraits.zip"
    archive.write_bytes(site.client.get(wait(site, job)["links"]["download"], timeout=_PATIENCE_SECONDS).content)
    data = site.folder / "portraits"
    budget = ("--from", "faces-64", "--epochs", str(_EPOCHS), "--runs", site.runs)
    for line in (("dataset", archive, data, "--licence", "Apache-2.0"), ("train", data, *budget)):
        subprocess.run([*COMMAND, *line], cwd=site.folder, check=True, timeout=_PATIENCE_SECONDS)


def guard(site: LocalSite) -> None:
    """Create the file of keys of the service that asks for one."""
    done = imagemill("keys", "add", "alice", "--file", site.folder / "keys.json", cwd=site.folder)
    assert done.returncode == 0, done.stderr


def save(browser: Browser, url: str, shot: Shot, folder: Path) -> None:
    """Save a picture in both themes."""
    width = _NARROW if shot.is_narrow else _WIDE
    for theme in _THEMES:
        context = browser.new_context(
            base_url=url,
            viewport={"width": width, "height": 800},
            is_mobile=shot.is_narrow,
            device_scale_factor=2 if shot.is_narrow else 1,
            color_scheme=theme,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(shot.hash)
        expect(page.get_by_role("heading", level=2)).to_be_visible()
        page.wait_for_load_state("load")
        shot.prepare(page)
        wait_until(lambda: page.evaluate(_NOT_DRAWN) == 0, _DRAWN_MS / 1000)  # noqa: B023
        encoded = compress(Image.open(io.BytesIO(settled(page))), _NARROW * 2 if shot.is_narrow else _SAVED_WIDTH)
        (folder / f"{shot.name}-{theme}.webp").write_bytes(encoded)
        context.close()


def settled(page: Page) -> bytes:
    """Return a screenshot that did not change for a second, or the last one where a job changes it all the time."""
    shown = b""
    for _ in range(_MOST_TRIES):
        former, shown = shown, page.screenshot()
        if shown == former:
            break
        page.wait_for_timeout(1000)
    return shown


def compress(image: Image.Image, width: int) -> bytes:
    """Return a WebP file of a width in pixels, at the best quality below the largest size."""
    small = image.convert("RGB").resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    for quality in _QUALITIES:
        data = io.BytesIO()
        small.save(data, "WEBP", quality=quality, method=6)
        if data.tell() <= _MOST_BYTES:
            break
    return data.getvalue()


def draw_waves() -> Image.Image:
    """Return bands of blue and sand."""
    image = Image.new("RGB", (384, 256), (236, 220, 180))
    pen = ImageDraw.Draw(image)
    for row in range(-20, 280, 22):
        points = [(x, row + 12 * math.sin(x / 23 + row)) for x in range(0, 385, 4)]
        pen.line(points, fill=(20, 60 + row // 2 % 100, 150), width=9)
    return image


def draw_tiles() -> Image.Image:
    """Return a mosaic of warm tiles."""
    image = Image.new("RGB", (384, 256), (40, 20, 30))
    pen = ImageDraw.Draw(image)
    for y in range(0, 256, 16):
        for x in range(0, 384, 16):
            heat = int(127 + 127 * math.sin(x / 40) * math.cos(y / 31))
            pen.rectangle((x + 1, y + 1, x + 14, y + 14), fill=(120 + heat // 2, 40 + heat // 2, 60))
    return image


@contextmanager
def service(folder: Path) -> Iterator[LocalSite]:
    """A running service with an empty folder of data."""
    site = LocalSite(folder)
    try:
        yield site
    finally:
        site.close()


def _mix(page: Page) -> None:
    page.get_by_label("Between A and B").fill("0.5")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def _exclude(page: Page) -> None:
    expect(page.locator(".cell.there").first).to_be_visible(timeout=_DRAWN_MS)
    page.get_by_role("grid").focus()
    for key in ("ArrowRight", "x", "ArrowDown", "ArrowRight", "x", "ArrowRight"):
        page.keyboard.press(key)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
