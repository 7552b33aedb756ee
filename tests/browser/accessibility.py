"""Checks a page by axe-core: the rules of WCAG 2.2 A and AA, and its best practices."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, ViewportSize

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_LIGHT = {"type": "tag", "values": [*_TAGS]}
_DARK = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""The rules that read colours. All others read the document, which is the same in both themes."""
_THEMES: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (("light", _LIGHT), ("dark", _DARK))
_NARROW = ViewportSize(width=320, height=800)
_WIDE = ViewportSize(width=1280, height=800)
_TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return null;
  const wide = [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > room);
  return wide.slice(0, 5).map((each) => each.cloneNode(false).outerHTML);
}"""
"""Returns the first elements beyond the right edge, or null if the page does not scroll sideways."""

_SETTLE = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  await Promise.all(document.getAnimations().map((each) => each.finished));
}"""
"""Waits until the colours of a new theme are shown."""


def assert_accessible(page: Page) -> None:
    """Fail if axe finds a violation in the light or the dark theme, or if the page scrolls sideways at 320 px."""
    page.evaluate(_axe())
    for theme, rules in _THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(_SETTLE)
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
        violations = [_describe(violation) for violation in found["violations"]]
        assert not violations, f"{theme}: {violations}"
    page.emulate_media(color_scheme="light")
    assert_fits(page)


def assert_fits(page: Page) -> None:
    """Fail if the page is wider than a screen of 320 px (WCAG 1.4.10)."""
    size = page.viewport_size or _WIDE
    page.set_viewport_size(_NARROW)
    too_wide = page.evaluate(_TOO_WIDE)
    page.set_viewport_size(size)
    assert too_wide is None, f"the page is too wide for a screen of 320 px: {too_wide}"


@cache
def _axe() -> str:
    return _AXE.read_text()


def _describe(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['target']}: {node['failureSummary']}" for node in violation["nodes"][:3])
    return f"{violation['id']}: {places}"
