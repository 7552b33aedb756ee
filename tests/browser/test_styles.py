"""The view of styles: pictures are added, tried on and removed, and refused pictures are explained."""

import io
import re
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch

_TRIAL_MS = 120_000
_DROP = """async (place, url) => {
  const bytes = await (await fetch(url)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
  place.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_the_user_adds_a_picture_and_removes_it(page: Page, site: LocalSite) -> None:
    page.goto("#/styles")
    expect(page.get_by_text("No style yet.").or_(page.get_by_role("list", name="Styles"))).to_be_visible()
    assert_accessible(page)
    _choose(page, _file("Sunset.png", (200, 80, 20)))
    panel = page.get_by_role("region", name="Sunset")
    expect(panel.get_by_text("96 x 64 px")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/styles\?style=[0-9a-f]{64}&"))
    tile = page.get_by_role("button", name="Sunset")
    expect(tile).to_have_attribute("aria-pressed", "true")
    expect(panel.get_by_role("link", name="Order in this style")).to_have_attribute(
        "href", re.compile("#/order.*style=")
    )
    assert_accessible(page)
    picture(page, "styles")
    page.reload()
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="Remove").click()
    assert_accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(tile).to_be_visible()
    panel.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(tile).to_have_count(0)
    assert (96, 64) not in [(style["width"], style["height"]) for style in _styles(site)]


def test_a_picture_is_dropped(page: Page) -> None:
    page.goto("#/styles")
    page.locator(".drop").evaluate(_DROP, page.url.split("#", maxsplit=1)[0] + "models/faces-64/pictures/grid.png")
    expect(page.get_by_role("region", name="dropped")).to_be_visible()


def test_a_file_that_is_no_picture_is_refused_in_words(page: Page, watch: Watch) -> None:
    watch.expect_message("400|415|422")
    page.goto("#/styles")
    _choose(page, FilePayload(name="notes.png", mimeType="image/png", buffer=b"no picture"))
    expect(page.get_by_role("alert")).to_contain_text("not an image in one of the formats PNG, JPEG, WEBP")
    assert_accessible(page)


def test_a_picture_beyond_the_limit_is_not_sent(page: Page, tmp_path: Path) -> None:
    page.goto("#/styles")
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(20_000_001)
    _choose(page, large)  # by its path, as the bytes themselves would take seconds to reach the browser
    expect(page.get_by_role("alert")).to_contain_text("20.0 MB, and the limit is 20 MB")


def test_a_style_is_tried_on(page: Page, site: LocalSite, style_weights: Path | None) -> None:
    if style_weights is None:
        pytest.skip("needs the VGG19 weights of IMAGEMILL_TEST_DATA")
    page.goto("#/styles")
    _choose(page, _file("Waves.png", (20, 80, 200)))
    panel = page.get_by_role("region", name="Waves")
    panel.get_by_role("button", name="Try on 4 images").click()
    styled = panel.get_by_role("img", name=re.compile("in the style$"))
    expect(styled).to_have_count(4, timeout=_TRIAL_MS)
    plain = panel.get_by_role("img", name=re.compile("without the style$"))
    expect(plain).to_have_count(4)
    for image in (*styled.all(), *plain.all()):
        expect(image).not_to_have_js_property("naturalWidth", 0)
    assert _bytes(site, styled.first) != _bytes(site, plain.first)
    assert_accessible(page)
    picture(page, "styles-trial")


def test_a_trial_is_cancelled(page: Page, site: LocalSite, style_weights: Path | None) -> None:
    if style_weights is None:
        pytest.skip("needs the VGG19 weights of IMAGEMILL_TEST_DATA")
    page.goto("#/styles")
    _choose(page, _file("Dunes.png", (180, 160, 90)))
    panel = page.get_by_role("region", name="Dunes")
    panel.get_by_role("combobox", name="Mode", exact=True).select_option("distilled")
    panel.get_by_role("button", name="Try on 4 images").click()
    expect(panel.get_by_text(re.compile(r"Learning the style: \d+ %"))).to_be_visible(timeout=_TRIAL_MS)
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.get_by_text("The job was cancelled")).to_be_visible()
    assert site.client.get("/jobs").json()["jobs"][0]["state"] == "cancelled"


def test_a_refused_trial_says_why(page: Page, watch: Watch, style_weights: Path | None) -> None:
    if style_weights is not None:
        pytest.skip("the workers have the VGG19 weights")
    watch.expect_message("503")
    page.goto("#/styles")
    _choose(page, _file("Forest.png", (20, 120, 20)))
    page.get_by_role("button", name="Try on 4 images").click()
    expect(page.get_by_role("alert")).to_contain_text("IMAGEMILL_VGG19")


def _choose(page: Page, file: FilePayload | Path) -> None:
    page.get_by_label("Add pictures").set_input_files(file)


def _file(name: str, colour: tuple[int, int, int]) -> FilePayload:
    """Return a picture of stripes."""
    image = Image.new("RGB", (96, 64), colour)
    for x in range(0, 96, 12):
        image.paste((240, 230, 200), (x, 0, x + 5, 64))
    data = io.BytesIO()
    image.save(data, "PNG")
    return FilePayload(name=name, mimeType="image/png", buffer=data.getvalue())


def _styles(site: LocalSite) -> list[dict[str, int]]:
    styles: list[dict[str, int]] = site.client.get("/styles").json()["styles"]
    return styles


def _bytes(site: LocalSite, image: Locator) -> bytes:
    return site.client.get(httpx.URL(image.get_attribute("src") or "")).content
