"""The view Order: the address keeps the order, samples follow it, the costs are shown, and Make makes one job."""

import json
import re
from typing import Any

from playwright.sync_api import Page, Request, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch

_SAMPLES_MS = 20_000


def test_the_form_shows_samples_and_costs(page: Page) -> None:
    page.goto("#/order?n=200&seed=7")
    expect(page.locator(".samples face-image[data-state=drawn]")).to_have_count(16, timeout=_SAMPLES_MS)
    expect(page.get_by_text("Ready in")).to_be_visible(timeout=_SAMPLES_MS)
    expect(page.get_by_text("Download", exact=True)).to_be_visible()
    assert_accessible(page)
    picture(page, "order")


def test_the_address_keeps_the_whole_order(page: Page) -> None:
    page.goto("#/order?seed=7")
    page.get_by_label("Images", exact=True).click()
    page.keyboard.type("120")  # the click has selected the number
    page.get_by_label("One class").check()
    page.get_by_role("combobox", name="Class", exact=True).select_option("modern")
    page.get_by_label("Split").select_option("test")
    expect(page).to_have_url(re.compile(r"n=120&class=modern.*split=test.*seed=7"))
    page.reload()
    expect(page.get_by_label("Images", exact=True)).to_have_value("120")
    expect(page.get_by_role("combobox", name="Class", exact=True)).to_have_value("modern")
    expect(page.get_by_role("button", name="Make 120 images")).to_be_enabled()


def test_classes_are_ordered_by_number(page: Page, site: LocalSite) -> None:
    page.goto("#/order?n=8&seed=7")
    page.get_by_label("Number of each class").check()
    page.get_by_label("modern", exact=True).fill("6")
    expect(page.get_by_text("12 images in all.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Make 12 images").click()
    expect(page).to_have_url(re.compile("#/job/"))
    job = _job(site, page)
    assert (job["n"], job["classes"]["modern"], job["classes"]["19th-century"]) == (12, 6, 2)


def test_a_double_click_makes_one_job(page: Page) -> None:
    keys = list[str | None]()

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/generate"):
            keys.append(request.headers.get("idempotency-key"))

    page.on("request", note)
    page.goto("#/order?n=4&seed=8")
    page.get_by_role("button", name="Make 4 images").dblclick()
    expect(page).to_have_url(re.compile("#/job/"))
    assert keys[0] is not None
    assert len({*keys}) == 1


def test_the_code_makes_the_same_order(page: Page, site: LocalSite) -> None:
    page.goto("#/order?n=5&seed=9&class=modern&format=webp")
    page.get_by_text("Code", exact=True).click()
    curl = page.get_by_role("heading", name="curl").locator("xpath=../..").locator("pre").inner_text()
    body = json.loads(re.findall(r"-d '(.*)'", curl)[0])
    assert body == {"model": "faces-64", "n": 5, "class": "modern", "format": "webp", "seed": 9}
    assert site.client.post("/estimate", json=body).is_success
    expect(page.get_by_text("imagemill generate --server")).to_contain_text(
        "-n 5 --class modern --format webp --seed 9"
    )


def test_an_order_beyond_the_limit_is_refused_in_words(page: Page, watch: Watch) -> None:
    watch.expect_message("4\\d\\d")
    page.goto("#/order?n=10000000&seed=7")
    expect(page.get_by_text(re.compile("100.?000"))).not_to_have_count(0)
    assert_accessible(page)


def test_the_keyboard_alone_makes_an_order(page: Page) -> None:
    page.goto("#/order?n=3&seed=5")
    field = page.get_by_label("Images", exact=True)
    field.focus()
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value("4")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/job/"))


def test_a_preset_fills_the_form_and_orders_nothing(page: Page) -> None:
    page.goto("#/order?seed=7")
    page.get_by_role("button", name="Two thirds of one class").click()
    expect(page.get_by_label("19th-century", exact=True)).to_have_value("200")
    page.get_by_role("combobox", name="Two thirds of").select_option("modern")
    expect(page.get_by_label("modern", exact=True)).to_have_value("200")
    expect(page.get_by_label("19th-century", exact=True)).to_have_value("34")
    expect(page.get_by_role("button", name="Make 300 images")).to_be_enabled()
    page.get_by_role("button", name="Best quarter").click()
    expect(page).to_have_url(re.compile(r"#/order.*keep=0.25.*copies=drop"))


def test_an_error_of_the_service_stands_at_its_field(page: Page, watch: Watch) -> None:
    watch.expect_message("422")
    page.goto("#/order?n=5&seed=7&name=A.B")
    files = page.get_by_role("group", name="Files")
    expect(files.get_by_role("alert")).to_contain_text("begin with a letter or a digit")
    files.get_by_label("Name").fill("a.b")
    expect(files.get_by_role("alert")).to_have_count(0)


def test_the_button_stays_in_reach_in_a_narrow_window(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto("#/order?n=5&seed=7")
    make = page.get_by_role("button", name="Make 5 images")
    expect(make).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert_accessible(page)
    make.click()
    expect(page).to_have_url(re.compile("#/job/"))


def _job(site: LocalSite, page: Page) -> dict[str, Any]:
    identity = page.url.split("#/job/")[1].split("?")[0]
    job: dict[str, Any] = site.client.get(f"/jobs/{identity}").json()
    return job


def test_the_frames_of_a_walk_are_ordered_from_play(page: Page, site: LocalSite) -> None:
    page.goto("#/play?at=1:0&from=1:0&to=777:0&between=0.5")
    page.get_by_role("link", name="Order these frames").click()
    expect(page.get_by_label("Between A and B")).to_be_checked()
    expect(page.locator(".samples face-image[data-state=drawn]")).to_have_count(16, timeout=_SAMPLES_MS)
    page.get_by_label("Frames", exact=True).fill("5")
    page.get_by_label("And back to the first one").uncheck()
    expect(page).to_have_url(re.compile("n=5"))
    page.get_by_label("Any", exact=True).check()
    page.get_by_label("Between A and B").check()
    assert_accessible(page)
    picture(page, "order-walk")
    page.get_by_role("button", name="Make 5 images").click()
    expect(page).to_have_url(re.compile("#/job/"))
    job = _job(site, page)
    assert [point["at"] for point in job["between"]["points"]] == [[[1, 0, 1.0]], [[777, 0, 1.0]]]
    assert (job["n"], job["between"]["loop"]) == (5, False)
