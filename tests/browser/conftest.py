"""A real service and a real Chromium for the tests of the web page."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import chromium_program
from tests.browser.local_site import LocalSite
from tests.browser.sample_runs import write_runs
from tests.browser.watch import Watch

_PICTURES = "IMAGEMILL_SCREENSHOTS"
_TIMEOUT_MS = 10_000
_WIDTHS = (1280, 320)
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    program = chromium_program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        expect.set_options(timeout=_TIMEOUT_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def style_weights() -> Path | None:
    """The weights of VGG19 for style transfer; None if the folder IMAGEMILL_TEST_DATA does not have them."""
    folder = os.environ.get("IMAGEMILL_TEST_DATA")
    path = Path(folder or "").resolve() / "weights" / "vgg19_features.safetensors"
    return path if folder and path.exists() else None


@pytest.fixture(scope="session")
def site(
    browser: Browser,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
    style_weights: Path | None,
) -> Iterator[LocalSite]:
    """One `imagemill up` for all tests, with the shipped models and two training runs."""
    folder = tmp_path_factory.mktemp("site")
    write_runs(folder / "runs")
    site = LocalSite(folder, **({"IMAGEMILL_VGG19": str(style_weights)} if style_weights else {}))
    yield site
    site.close()


@pytest.fixture
def page(browser: Browser, site: LocalSite) -> Iterator[Page]:
    """A tab of a fresh profile, not opened yet. `page.goto("#/play")` opens a view."""
    context = browser.new_context(base_url=f"{site.url}/", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(_TIMEOUT_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(autouse=True)
def watch(request: pytest.FixtureRequest) -> Iterator[Watch | None]:
    """The watch of the page. After each test it fails for messages, policy reports and requests to other origins."""
    if "page" not in request.fixturenames:
        yield None
        return
    site, page = request.getfixturevalue("site"), request.getfixturevalue("page")
    watch = Watch(page, {site.url})
    yield watch
    watch.check()


def picture(page: Page, name: str) -> None:
    """Save pictures of a view in both themes and two widths into the folder IMAGEMILL_SCREENSHOTS, if it is set."""
    folder = os.environ.get(_PICTURES)
    if not folder:
        return
    size = page.viewport_size
    for width in _WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for theme in _THEMES:
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=Path(folder) / f"{name}-{theme}-{width}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    if size:
        page.set_viewport_size(size)
