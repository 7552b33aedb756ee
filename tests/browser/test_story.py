"""The whole story by keyboard alone: open, play, order, look, throw out, replace, download, send the link."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.local_site import LocalSite
from tests.browser.test_job import cell
from tests.browser.test_play import saved_by, wait_for_exact

_MOST_TABS = 80
_FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return "the focus is lost";
  const box = element.closest("label")?.matches(":has(:focus-visible)") ? element.closest("label") : element;
  const rect = element.getBoundingClientRect();
  if (rect.bottom <= 0 || rect.top >= innerHeight) return `the focus is outside of the window: ${element.outerHTML}`;
  if (element.matches("h2")) return null;
  const isOutlined = [element, box].some((each) => getComputedStyle(each).outlineStyle !== "none");
  return element.matches(":focus-visible") && isOutlined ? null : `the focus is not visible: ${element.outerHTML}`;
}"""
"""Returns what is wrong with the focus, or null. The heading of a view has the focus without an outline."""


class Keyboard:
    """A user who has no mouse. Each step must leave the focus where the user sees it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.check()

    def reach(self, control: Locator) -> None:
        """Press Tab until a control has the focus."""
        expect(control).to_be_visible()
        for _ in range(_MOST_TABS):
            if control.evaluate("(element) => element === document.activeElement"):
                self.check()
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"{_MOST_TABS} times Tab did not reach {control}")

    def type(self, control: Locator, text: str) -> None:
        self.reach(control)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.check()

    def use(self, control: Locator, key: str = "Enter") -> None:
        self.reach(control)
        self.page.keyboard.press(key)

    def check(self) -> None:
        assert self.page.evaluate(_FOCUS) is None


def test_the_keyboard_alone_plays_orders_cleans_and_shares(
    page: Page, browser: Browser, site: LocalSite, tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keyboard = Keyboard(page)
    page.goto("")
    link, image = play(page, keyboard)
    replaced, archive = order(page, keyboard, tmp_path)
    job = site.client.get(f"/jobs/{replaced}").json()
    assert (job["n"], job["excluded"], job["classes"]["modern"]) == (11, 2, 5)
    names = zipfile.ZipFile(archive).namelist()
    indices = {int(found[1]) for name in names if (found := re.search(r"(\d+)\.png$", name))}
    assert len(indices) == job["n"]
    assert not indices & {0, 2}
    assert zipfile.ZipFile(archive).testzip() is None
    with other_person(browser, site) as other:
        other.goto(link)
        wait_for_exact(other)
        assert saved_by(other, lambda: Keyboard(other).use(button(other, "Save PNG"))) == image


def play(page: Page, keyboard: Keyboard) -> tuple[str, bytes]:
    """Mix two images. Returns the copied link, and the bytes of its image."""
    wait_for_exact(page)
    keyboard.use(button(page, "Another image"))
    keyboard.check()
    keyboard.reach(page.get_by_role("slider", name="Truncation"))
    keyboard.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
    page.wait_for_url(re.compile("truncation=0.85"))
    keyboard.press("Shift+Tab")
    keyboard.use(button(page, "Towards another image"))
    between = page.get_by_label("Between A and B")
    expect(between).to_have_value("0.5")
    keyboard.reach(between)
    keyboard.press("ArrowRight", "ArrowRight")
    page.wait_for_url(re.compile("between=0.52"))
    keyboard.use(button(page, "Copy link"))
    expect(page.get_by_text("The link is copied.")).to_be_visible()
    keyboard.check()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert link == page.url
    wait_for_exact(page)
    return link, saved_by(page, lambda: keyboard.use(button(page, "Save PNG")))


def order(page: Page, keyboard: Keyboard, folder: Path) -> tuple[str, Path]:
    """Order images by class, and replace two of them. Returns the new job and its archive."""
    keyboard.use(page.get_by_role("navigation", name="Views").get_by_role("link", name="Order"))
    expect(page.get_by_role("heading", level=2, name="Order a dataset")).to_be_focused()
    keyboard.type(page.get_by_label("Images", exact=True), "8")
    keyboard.reach(page.get_by_label("Balanced"))
    keyboard.press("ArrowRight", "ArrowRight")
    expect(page.get_by_label("Number of each class")).to_be_checked()
    keyboard.type(page.get_by_label("modern", exact=True), "5")
    keyboard.use(button(page, "Make 11 images"))
    page.wait_for_url(re.compile("#/job/"))
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    expect(page.get_by_text("succeeded", exact=True)).to_be_visible()
    keyboard.reach(page.get_by_role("grid"))
    keyboard.press("x", "ArrowRight", "ArrowRight", "x", "ArrowLeft", "x")
    keyboard.press("Control+z")
    former = page.url
    keyboard.use(button(page, "Replace 2"))
    expect(page.get_by_text("with 2 images replaced")).to_be_visible()
    expect(page.get_by_text("succeeded", exact=True)).to_be_visible()
    expect(page.locator(".grid-row:not([hidden]) > .there:not([hidden])")).to_have_count(11)
    expect(page.locator(cell(0)).or_(page.locator(cell(2)))).to_have_count(0)
    assert page.url != former
    path = folder / "dataset.zip"
    path.write_bytes(saved_by(page, lambda: keyboard.use(page.get_by_role("link", name=re.compile("^Download ZIP")))))
    keyboard.check()
    return page.url.split("#/job/")[1].split("?")[0], path


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


@contextmanager
def other_person(browser: Browser, site: LocalSite) -> Iterator[Page]:
    """A tab of another browser profile, which shares nothing with the first one."""
    context = browser.new_context(base_url=f"{site.url}/")
    yield context.new_page()
    context.close()
