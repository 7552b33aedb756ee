"""The frame of the page: navigation, keyboard, themes, errors, prefix, budget."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch
from tests.integration.proxy import published
from tests.integration.running_service import wait_until

VIEWS = ["play", "order", "jobs", "styles", "models", "runs", "api"]
MOST_BYTES, MOST_REQUESTS = 100_000, 25
"""Limits of a first visit of Play. Requests include data, weights and images; bytes are those of page files."""
_MANY_CORES = "Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 8 })"
_PAGE_FILE = re.compile(r"/(?:ui/.*)?$")
"""Matches the files of the page, and not data, weights and images."""


def test_the_page_shows_the_state_of_the_service(page: Page) -> None:
    page.goto("")
    expect(page.locator("#status")).to_have_text("Ready")
    expect(page).to_have_title(re.compile("Imagemill"))


def test_the_command_opens_the_page_in_a_browser(site: LocalSite) -> None:
    wait_until(site.opened.exists)
    wait_until(lambda: site.opened.read_text() == f"{site.url}\n")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_a_heading_and_is_accessible(page: Page, view: str) -> None:
    page.goto(f"#/{view}")
    expect(page.get_by_role("heading", level=2)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Views").locator('[aria-current="page"]')).to_have_count(1)
    assert_accessible(page)


def test_a_view_that_does_not_exist_is_named(page: Page) -> None:
    page.goto("#/nothing")
    expect(page.get_by_role("alert")).to_contain_text('There is no view "nothing"')
    assert_accessible(page)


def test_the_keyboard_skips_the_header_and_moves_through_the_views(page: Page) -> None:
    page.goto("#/runs")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("link", name="API").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="API")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", level=2, name="Runs")).to_be_focused()


def test_the_skip_link_leads_to_the_content_and_not_to_another_view(page: Page) -> None:
    page.goto("#/runs")
    expect(page.get_by_role("heading", level=2)).to_have_text("Runs")
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page.get_by_role("heading", level=2)).to_have_text("Runs")


def test_the_page_works_behind_a_prefix(page: Page, site: LocalSite, watch: Watch) -> None:
    with published(site.url, "/some/prefix", {"X-Forwarded-Prefix": "/some/prefix"}) as url:
        watch.add_origin(url)
        page.goto(f"{url}/#/runs/0")
        expect(page.get_by_role("img", name=re.compile("^Samples"))).to_be_visible()
        page.goto(f"{url}/docs")
        expect(page.get_by_role("heading", level=2)).to_have_text("API")


def test_the_page_stays_small(page: Page, site: LocalSite) -> None:
    wait_until(lambda: all("engine-1.json" in each["files"] for each in site.client.get("/models").json()["models"]))
    requests = list[Request]()
    page.on("requestfinished", lambda request: requests.append(request))
    page.add_init_script(_MANY_CORES)  # then two worker threads load the engine
    page.goto("#/play")
    expect(page.locator(".mark")).to_have_text(re.compile("^Exact"))
    expect(page.locator("#status")).to_have_text("Ready")
    page.wait_for_load_state("networkidle")
    # The service draws previews where the weights need more than half a second, so their number depends on the machine.
    sent = [each for each in requests if each.url.startswith("http") and not each.url.endswith("/preview")]
    sizes = {
        each.url: each.sizes()["responseBodySize"] for each in sent if _PAGE_FILE.fullmatch(urlsplit(each.url).path)
    }
    assert sum(sizes.values()) < MOST_BYTES, sizes
    assert len(sent) <= MOST_REQUESTS, "\n".join(each.url for each in sent)


def test_the_service_that_is_gone_is_announced_and_comes_back(page: Page, watch: Watch) -> None:
    watch.expect_message("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    page.goto("#/runs")
    expect(page.locator("#status")).to_have_text("Ready")
    page.context.set_offline(True)
    page.get_by_role("link", name="API").click()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").or_(page.get_by_role("heading", level=2, name="API")).first.wait_for()
    picture(page, "offline")
