"""The view "Jobs": the list, its states, and what the user can do with a job."""

import re

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch


def order(site: LocalSite, n: int, **parameters: str | int) -> str:
    """Request a job. Returns its id."""
    response = site.client.post("/generate", params={"n": n, "model": "faces-64", **parameters})
    return str(response.raise_for_status().json()["id"])


def ordered(site: LocalSite, n: int, **parameters: str | int) -> str:
    """Request a job and wait until it has succeeded. Returns its id."""
    job_id = order(site, n, **parameters)
    while not (job := site.client.get(f"/jobs/{job_id}", headers={"Prefer": "wait=20"}).json())["done"]:
        pass
    assert job["state"] == "succeeded", job
    return job_id


def card(page: Page, job_id: str) -> Locator:
    return page.locator(f'[data-job="{job_id}"]')


def test_a_job_is_listed_with_its_picture_and_its_download(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 30, seed=1, name="portraits")
    page.goto("#/jobs")
    job = card(page, job_id)
    expect(job).to_contain_text("portraits")
    expect(job).to_contain_text("seed 1")
    expect(job.locator("img")).to_be_visible()
    with page.expect_download() as download:
        job.get_by_role("link", name="Download ZIP, portraits").click()
    assert download.value.suggested_filename.startswith("portraits-faces-64-seed1-n30")
    assert_accessible(page)
    picture(page, "jobs")


def test_jobs_are_found_by_name_and_stand_under_their_day(page: Page, site: LocalSite) -> None:
    wanted, other = ordered(site, 4, seed=5, name="pilot"), ordered(site, 4, seed=6)
    page.goto("#/jobs")
    today = page.get_by_role("list", name="Today")
    expect(today.locator(f'[data-job="{other}"]')).to_be_visible()
    page.get_by_label("Name", exact=True).fill("pilot")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/jobs.name=pilot"))
    expect(card(page, wanted)).to_be_visible()
    expect(card(page, other)).to_have_count(0)


def test_the_header_counts_the_open_jobs(page: Page, site: LocalSite) -> None:
    page.goto("#/models")
    job_id = order(site, 50_000, seed=3)
    jobs = page.get_by_role("navigation").get_by_role("link", name="Jobs")
    expect(jobs).to_have_text(re.compile(r"Jobs\s*[1-9]"))
    site.client.post(f"/jobs/{job_id}/cancel").raise_for_status()
    expect(jobs).to_have_text("Jobs")


def test_a_new_job_appears_by_itself_and_can_be_cancelled(page: Page, site: LocalSite) -> None:
    page.goto("#/jobs")
    expect(page.get_by_role("heading", level=2)).to_have_text("Jobs")
    job_id = order(site, 50_000, seed=2)
    job = card(page, job_id)
    expect(job).to_have_attribute("data-state", re.compile("queued|running"))
    expect(job.get_by_role("progressbar")).to_be_visible()
    job.get_by_role("button", name=re.compile("Cancel")).click()
    expect(job).to_have_attribute("data-state", "cancelled")
    expect(job.get_by_role("button", name=re.compile("Retry"))).to_be_visible()
    assert site.client.get(f"/jobs/{job_id}").json()["state"] == "cancelled"


def test_images_are_deleted_after_a_question_and_rebuilt(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 20, seed=3)
    page.goto("#/jobs")
    job = card(page, job_id)
    job.get_by_role("button", name=re.compile("Delete")).click()
    page.get_by_role("button", name="Keep them").click()
    expect(job.get_by_role("link", name=re.compile("Download"))).to_be_visible()
    job.get_by_role("button", name=re.compile("Delete")).click()
    page.get_by_role("button", name="Remove images").click()
    expect(job).to_contain_text("images removed")
    before = page.locator(".job").count()
    job.get_by_role("button", name=re.compile("Rebuild")).click()
    expect(page.locator(".job")).to_have_count(before + 1)


def test_a_dataset_is_extended(page: Page, site: LocalSite) -> None:
    job_id = ordered(site, 20, seed=4)
    page.goto("#/jobs")
    card(page, job_id).get_by_role("button", name=re.compile("Extend")).click()
    page.get_by_label("How many more").fill("15")
    page.get_by_role("dialog").get_by_role("button", name="Extend").click()
    expect(page.locator(".job", has_text="35 faces-64")).to_have_attribute("data-state", "succeeded")


def test_the_list_is_filtered_and_continued(page: Page, site: LocalSite) -> None:
    for seed in range(32):
        order(site, 1, seed=100 + seed)
    page.goto("#/jobs?state=succeeded")
    expect(page.get_by_label("State of the jobs")).to_have_value("succeeded")
    page.get_by_role("button", name="Older jobs").click()
    expect(page.locator(".job").nth(31)).to_be_visible()
    page.get_by_label("State of the jobs").select_option("failed")
    expect(page.get_by_text("No job is failed.")).to_be_visible()
    assert page.url.endswith("#/jobs?state=failed")


def test_the_list_survives_an_outage(page: Page, site: LocalSite, watch: Watch) -> None:
    watch.expect_message("net::ERR_|Failed to load resource")
    page.goto("#/jobs")
    expect(page.locator(".job").first).to_be_visible()
    page.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator(".job").first).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    httpx.get(f"{site.url}/healthz").raise_for_status()
