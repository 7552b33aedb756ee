"""The view of training runs: the list, curves, samples under one slider, events, comparison, a run that trains."""

import fcntl
import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.sample_runs import EPOCHS, write_epoch
from tests.browser.watch import Watch


def test_the_list_leads_to_a_run(page: Page) -> None:
    page.goto("#/runs")
    expect(page.get_by_role("row")).to_have_count(3)
    assert_accessible(page)
    picture(page, "runs")
    page.get_by_role("link", name="0 flagship-faces-64").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Run 0: flagship-faces-64")


def test_one_slider_moves_the_sheet_and_the_cursor_of_all_curves(page: Page) -> None:
    page.goto("#/runs/0")
    sheet = page.get_by_role("img", name=re.compile("^Samples"))
    expect(sheet).to_have_attribute("src", re.compile("/60000.png$"))
    slider = page.locator("input[name=sheet]")
    slider.focus()
    page.keyboard.press("Home")
    expect(sheet).to_have_attribute("src", re.compile("/5000.png$"))
    expect(page.get_by_role("img", name=re.compile("^Loss at 5,000 images: generator 5,"))).to_be_visible()
    expect(page).to_have_url(re.compile("at=5000"))
    page.reload()
    expect(sheet).to_have_attribute("src", re.compile("/5000.png$"))
    page.get_by_role("button", name="Keep beside").click()
    page.locator("input[name=sheet]").focus()
    page.keyboard.press("End")
    expect(sheet).to_have_count(2)
    assert_accessible(page)
    picture(page, "run")


def test_an_event_of_the_guard_moves_the_cursor(page: Page) -> None:
    page.goto("#/runs/0")
    expect(page.get_by_text("loss_g is nan: rolled back to 30,000 images")).to_be_visible()
    page.get_by_role("button", name="35,000 images").click()
    expect(page).to_have_url(re.compile("at=35000"))


def test_the_film_plays_all_sheets(page: Page) -> None:
    page.goto("#/runs/0")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("img", name=re.compile("^Samples"))).to_have_attribute(
        "src", re.compile("/(5|10|15)000.png$")
    )
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Samples"))).to_have_attribute("src", re.compile("/60000.png$"))


def test_two_runs_are_compared(page: Page) -> None:
    page.goto("#/runs/0")
    page.get_by_label("Compare with").select_option("1")
    expect(page.get_by_role("img", name=re.compile("generator, run 1"))).to_be_visible()
    expect(page).to_have_url(re.compile("with=1"))
    assert_accessible(page)
    picture(page, "run-compare")


def test_the_figures_are_a_table_too(page: Page) -> None:
    page.goto("#/runs/0")
    page.get_by_text("All figures as a table").click()
    expect(page.get_by_role("region", name="Figures of all epochs").get_by_role("row")).to_have_count(EPOCHS + 1)
    assert_accessible(page)


def test_a_run_that_trains_grows_on_the_page(page: Page, site: LocalSite) -> None:
    (run,) = site.runs.glob("00001-*")
    with (run / "owner").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        page.goto("#/runs/1")
        expect(page.get_by_text("running", exact=True)).to_be_visible()
        assert_accessible(page)
        write_epoch(run, EPOCHS + 1)
        expect(page.get_by_role("img", name=re.compile("^Samples"))).to_have_attribute("src", re.compile("/65000.png$"))


def test_a_run_that_does_not_exist_is_named(page: Page, watch: Watch) -> None:
    watch.expect_message("404")
    page.goto("#/runs/99")
    expect(page.get_by_role("alert")).to_contain_text("There is no run 99")
    assert_accessible(page)


def test_a_service_without_runs_says_how_to_show_them(page: Page, site: LocalSite, watch: Watch) -> None:
    with site.another_api(IMAGEMILL_RUNS="") as url:
        watch.add_origin(url)
        page.goto(f"{url}/#/runs")
        expect(page.get_by_text("imagemill up --runs runs")).to_be_visible()
        assert_accessible(page)
