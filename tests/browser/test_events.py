"""The event stream: all tabs of a browser share one, the next tab takes it over, and it survives an interruption."""

import re

from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.local_site import LocalSite


def add_job(site: LocalSite, name: str) -> None:
    site.client.post("/generate", params={"n": 1, "name": name}).raise_for_status()


def count_streams(context: BrowserContext) -> list[str]:
    streams: list[str] = []

    def add(request: Request) -> None:
        if request.url.endswith("/events"):
            streams.append(request.url)

    context.on("request", add)
    return streams


def test_tabs_share_one_stream_and_the_next_tab_takes_it_over(page: Page, site: LocalSite) -> None:
    streams = count_streams(page.context)
    page.goto("#/jobs")
    expect(page.get_by_role("heading", level=2, name="Jobs")).to_be_visible()
    second = page.context.new_page()
    second.goto("#/jobs")
    expect(second.get_by_role("heading", level=2, name="Jobs")).to_be_visible()
    add_job(site, "of-two-tabs")
    for tab in (page, second):
        expect(tab.get_by_text("of-two-tabs").first).to_be_visible()
    assert len(streams) == 1
    page.goto("about:blank")  # every view needs the stream, for the count of open jobs in the header
    add_job(site, "of-the-second-tab")
    expect(second.get_by_text("of-the-second-tab").first).to_be_visible()
    assert len(streams) == 2


def test_an_open_page_notices_an_upgrade(page: Page) -> None:
    page.goto("#/runs")
    expect(page.locator("#status")).to_have_text("Ready")
    page.evaluate("import('./ui/shell/upgrade.js').then(({ noteVersion }) => noteVersion('another'))")
    expect(page.get_by_text("The service has a new version")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_text("The service has a new version")).to_have_count(0)
    expect(page).to_have_url(re.compile("#/runs$"))
