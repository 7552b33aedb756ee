"""The view of models: the table, the page of a model with its card and pictures, and the service without workers."""

import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite

_CARD_SECONDS = 20_000


def test_the_table_compares_the_models_with_real_images(page: Page) -> None:
    page.goto("#/models")
    row = page.get_by_role("row", name=re.compile("faces-64"))
    expect(row).to_contain_text("64 px")
    expect(row.get_by_text("real 95 %").or_(row.get_by_text("real 95%"))).to_be_visible(timeout=_CARD_SECONDS)
    expect(row).to_contain_text("mostly US government works")
    assert_accessible(page)
    picture(page, "models")
    row.get_by_role("link", name=re.compile("^faces-64")).click()
    expect(page.get_by_role("heading", level=2)).to_have_text("faces-64")
    expect(page.get_by_role("heading", level=2)).to_be_focused()


def test_the_page_of_a_model_shows_its_card_and_pictures(page: Page, site: LocalSite) -> None:
    page.goto("#/models/faces-64")
    expect(page.locator(".model-images face-image[data-state=drawn]")).to_have_count(12, timeout=_CARD_SECONDS)
    expect(page.get_by_text("19th-century from 2,726 images, and modern from 1,539")).to_be_visible()
    expect(page.get_by_text("Of 10,000 images, 4 lie so near")).to_be_visible()
    for name in ("grid", "strip", "plots"):
        image = page.locator(f".picture.{name} img")
        image.scroll_into_view_if_needed()
        expect(image).not_to_have_js_property("naturalWidth", 0)
    page.get_by_text("The whole card").click()
    expect(page.get_by_role("cell", name="0.7192")).to_be_visible()
    expect(page.get_by_text('architecture = "dcgan"')).to_be_visible()
    assert_accessible(page)
    page.get_by_text("The whole card").click()
    picture(page, "model")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the card").click()
    assert download.value.suggested_filename == "faces-64.md"
    assert download.value.path().read_bytes() == site.client.get("/models/faces-64/card").content


def test_the_gate_leads_to_an_order_with_its_share(page: Page) -> None:
    page.goto("#/models/faces-64")
    row = page.get_by_role("row", name=re.compile("^the best 50"))
    expect(row).to_contain_text("88%")
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"#/order\?.*keep=0.5"))


def test_a_model_without_a_worker_is_named(page: Page) -> None:
    page.goto("#/models/cats-64")
    expect(page.get_by_text('No worker has a model named "cats-64" now.')).to_be_visible()
    assert_accessible(page)


def test_the_table_waits_for_the_first_worker(page: Page) -> None:
    page.route("**/models", lambda route: route.fulfill(json={"models": [], "set_aside": []}))
    page.goto("#/models")
    expect(page.get_by_text("No worker is ready yet.")).to_be_visible()
    assert_accessible(page)
