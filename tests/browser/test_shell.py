"""The frame of the page: files, headers, navigation, keyboard, themes."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite


def test_the_page_opens_with_the_state_of_the_service(page: Page) -> None:
    page.goto("")
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    expect(page.locator("#status")).to_have_text("Ready")


def test_files(site: LocalSite) -> None:
    assert site.client.get("/ui/nothing.js").status_code == 404


def test_runs(page: Page) -> None:
    page.goto("#/runs")
    expect(page.get_by_role("heading", level=2)).to_have_text("Runs")
    assert_accessible(page)
    picture(page, "runs")
