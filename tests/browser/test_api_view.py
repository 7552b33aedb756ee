"""The documentation of the API: it is complete, works offline, and sends requests."""

import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch


def test_every_endpoint_is_shown(page: Page, site: LocalSite) -> None:
    paths = site.client.get("/openapi.json").json()["paths"]
    page.goto("docs")
    expect(page).to_have_url(re.compile("#/api$"))
    expect(page.locator("details.operation")).to_have_count(sum(len(item) for item in paths.values()))


def test_a_request_is_sent_and_its_code_shown(page: Page) -> None:
    page.goto("#/api/get_model")
    operation = page.locator("#get_model")
    operation.get_by_role("textbox").fill("faces-64")
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_role("status")).to_contain_text('"name": "faces-64"')
    operation.get_by_text("Code", exact=True).click()
    expect(operation.locator("pre").filter(has_text="curl")).to_contain_text("/models/faces-64")
    assert_accessible(page)
    picture(page, "api")


def test_a_refused_request_shows_the_problem(page: Page, watch: Watch) -> None:
    watch.expect_message("422")
    page.goto("#/api/generate")
    operation = page.locator("details.operation[open]")
    operation.locator("input[name=n]").fill("-1")
    operation.get_by_role("button", name="Send").click()
    expect(operation.get_by_role("alert")).to_contain_text("n")
    assert_accessible(page)


def test_the_list_can_be_searched(page: Page) -> None:
    page.goto("#/api")
    page.get_by_label("Find an endpoint").fill("samples")
    expect(page.locator("details.operation")).to_have_count(1)
    page.get_by_label("Find an endpoint").fill("no such thing")
    expect(page.get_by_text("No endpoint has these words")).to_be_visible()
    assert_accessible(page)
