"""The view of a job: its images in a grid, from which the user throws some out."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.test_jobs import order, ordered
from tests.browser.watch import Watch
from tests.integration.running_service import wait_until

MOST_NODES = 400


@pytest.fixture(scope="module")
def large_job(site: LocalSite) -> str:
    """A job with many sheets."""
    return ordered(site, 3000, seed=11)


def open_job(page: Page, job_id: str, query: str = "") -> None:
    page.goto(f"#/job/{job_id}{query}")
    expect(page.locator(".cell.there").first).to_be_visible()


def cell(index: int) -> str:
    return f'.cell[aria-label^="Image {index},"]'


def picked(site: LocalSite, job_id: str) -> list[int]:
    found: list[int] = site.client.get(f"/jobs/{job_id}/picks").json()["exclude"]
    return found


def test_the_grid_shows_the_images_with_few_elements(page: Page, large_job: str) -> None:
    open_job(page, large_job)
    expect(page.locator(".grid-row:not([hidden]) > .cell:not([hidden]):not(.there)")).to_have_count(0)
    assert page.evaluate("document.querySelectorAll('*').length") < MOST_NODES
    page.get_by_role("slider", name="Size").fill("48")
    expect(page.locator(".grid-row:not([hidden]) > .cell:not([hidden]):not(.there)")).to_have_count(0)
    assert page.evaluate("document.querySelectorAll('*').length") < MOST_NODES + 100
    assert_accessible(page)
    picture(page, "job")


def test_the_grid_is_used_by_keyboard(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 600, seed=12)
    open_job(page, job_id)
    grid = page.get_by_role("grid")
    grid.focus()
    for key in ("ArrowRight", "x", "ArrowDown", " ", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    columns = int(grid.get_attribute("aria-colcount") or 0)
    expected = [1, columns + 1, columns + 2, columns + 3, columns + 4]
    expect(page.locator('.cell[aria-selected="true"]')).to_have_count(len(expected))
    expect(page.get_by_text("5 thrown out")).to_be_visible()
    expect(page.get_by_role("button", name="Replace 5")).to_be_enabled()
    wait_until(lambda: picked(site, job_id) == expected)
    page.keyboard.press("Control+z")
    expect(page.locator('.cell[aria-selected="true"]')).to_have_count(4)
    page.keyboard.press("End")
    expect(page.locator(cell(599))).to_have_class(re.compile("active"))
    page.keyboard.press("Home")
    expect(page.locator(cell(0))).to_have_class(re.compile("active"))


def test_images_are_replaced(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 60, seed=13)
    open_job(page, job_id)
    page.get_by_role("grid").focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.get_by_role("button", name="Replace 2").click()
    expect(page.get_by_text("with 2 images replaced")).to_be_visible()
    expect(page.locator(cell(2))).to_be_visible()
    expect(page.locator(cell(0))).to_have_count(0)
    assert job_id not in page.url
    newer = page.url.split("#/job/")[1]
    page.get_by_role("link", name="this earlier job").click()
    page.get_by_role("link", name="this newer job").click()
    page.wait_for_url(re.compile(re.escape(newer)))
    page.get_by_role("link", name="this earlier job").click()
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Replace 3")).to_be_enabled()


def test_an_image_is_opened_with_its_facts(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 30, seed=14)
    open_job(page, job_id)
    page.locator(cell(4)).dblclick()
    dialog = page.get_by_role("dialog")
    facts = site.client.get(f"/jobs/{job_id}/images/4.json").json()
    expect(dialog).to_contain_text("Image 4")
    expect(dialog).to_contain_text(facts["class"])
    expect(dialog).to_contain_text(facts["sha256"][:12])
    expect(dialog.get_by_role("link", name="Open in Play")).to_have_attribute(
        "href", re.compile(r"#/play/faces-64\?at=14:4")
    )
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("Image 5")
    page.keyboard.press("x")
    expect(dialog).to_contain_text("thrown out")
    assert_accessible(page)
    picture(page, "image")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(cell(5))).to_have_attribute("aria-selected", "true")


def test_the_place_and_the_filter_are_in_the_address(page: Page, large_job: str) -> None:
    open_job(page, large_job)
    page.get_by_label("Go to the image of an index").fill("2000")
    page.keyboard.press("Enter")
    expect(page.locator(cell(2000))).to_have_class(re.compile("there"))
    expect(page).to_have_url(re.compile(r"i=\d+"))
    url = page.url
    page.reload()
    expect(page.locator(cell(2000))).to_have_class(re.compile("there"))
    assert page.url == url
    page.get_by_label("Class", exact=True).select_option("modern")
    expect(page).to_have_url(re.compile("class=modern"))
    expect(page.locator(".cell.there").first).to_have_attribute("aria-label", re.compile("modern"))
    page.get_by_label("Show", exact=True).select_option("excluded")
    expect(page.locator(".grid-row:not([hidden]) > .cell:not([hidden])")).to_have_count(0)


def test_images_of_a_gate_are_sorted_by_score(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 300, seed=15, keep="0.5")
    open_job(page, job_id, "?sort=worst")
    expect(page.get_by_label("Order", exact=True)).to_have_value("worst")
    data = site.client.get(f"/jobs/{job_id}/order", params={"sort": "worst"}).content
    first = int.from_bytes(data[:4], "little")
    expect(page.locator("#image-0")).to_have_attribute("aria-label", re.compile(f"^Image {first},"))


def test_images_come_while_the_job_runs_and_nothing_moves(page: Page, site: LocalSite) -> None:
    job_id = order(site, 20_000, seed=16)
    open_job(page, job_id)
    height = page.evaluate("document.querySelector('.image-grid').scrollHeight")
    page.get_by_role("grid").focus()
    page.keyboard.press("PageDown")
    expect(page.locator(".cell.active")).to_have_class(re.compile("there"))
    assert page.evaluate("document.querySelector('.image-grid').scrollHeight") == height
    picture(page, "job-running")
    page.get_by_role("button", name=re.compile("Cancel")).click()
    expect(page.get_by_text("The job was cancelled, and its images were removed.")).to_be_visible()


def test_removed_images_and_unknown_jobs(page: Page, site: LocalSite, watch: Watch) -> None:
    watch.expect_message("404")
    job_id = ordered(site, 10, seed=17)
    site.client.delete(f"/jobs/{job_id}").raise_for_status()
    page.goto(f"#/job/{job_id}")
    expect(page.get_by_text("The images were removed.")).to_be_visible()
    assert_accessible(page)
    picture(page, "job-removed")
    page.get_by_role("button", name=re.compile("Rebuild")).click()
    expect(page.locator(".cell.there").first).to_be_visible()
    page.goto(f"#/job/{'A' * 22}")
    expect(page.get_by_role("alert")).to_contain_text("No job")


def test_arrays_have_a_gallery(page: Page, site: LocalSite) -> None:
    open_job(page, ordered(site, 20, seed=18, format="npz"))
    page.locator(cell(3)).dblclick()
    image = page.get_by_role("dialog").get_by_role("img")
    expect(image).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("Code", exact=True).click()
    expect(page.get_by_text("np.load")).to_be_visible()
