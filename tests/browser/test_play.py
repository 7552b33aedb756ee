"""The view Play in a real browser: the living image, its exact bytes, links, and the four modes."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch

STAGE = ".stage"
EXACT = re.compile(r"^Exact")
MODES = ("one", "wall", "square", "compare")


def open_play(page: Page, query: str = "", *, model: str = "") -> None:
    path = f"/{model}" if model else ""
    page.goto(f"#/play{path}{f'?{query}' if query else ''}")


def wait_for_exact(page: Page) -> None:
    expect(page.locator(".mark")).to_have_text(EXACT, timeout=20_000)


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).fragment.partition("?")[2])


def stage_pixels(page: Page) -> str:
    """Return the pixels of the living image as text."""
    return str(page.locator(f"{STAGE} canvas").evaluate("(canvas) => canvas.toDataURL()"))


def saved_by(page: Page, save: Callable[[], None]) -> bytes:
    """Return the bytes of the file that a step saves."""
    with page.expect_download() as download:
        save()
    return download.value.path().read_bytes()


def saved_bytes(page: Page) -> bytes:
    """Return the bytes of the exact image, as the page saves them."""
    return saved_by(page, page.get_by_role("button", name="Save PNG").click)


def press(slider: Locator, key: str, times: int = 1) -> None:
    slider.focus()
    for _ in range(times):
        slider.press(key)


def test_the_view_opens_with_the_exact_image_of_the_default_model(page: Page) -> None:
    open_play(page)
    wait_for_exact(page)
    assert re.search(r"#/play/[\w-]+\?at=1:0$", page.url)
    expect(page.locator(f"{STAGE} img")).to_have_attribute("alt", re.compile("Generated image of .* at 1:0"))


def test_the_exact_image_has_the_bytes_of_its_address(page: Page) -> None:
    open_play(page, "at=3:5")
    wait_for_exact(page)
    model = page.url.split("#/play/")[1].split("?")[0]
    answer = page.request.get(f"/images/{model}/at.png?at=3:5")
    assert saved_bytes(page) == answer.body()


def test_a_slider_changes_the_image_without_a_request_until_it_rests(page: Page) -> None:
    open_play(page)
    wait_for_exact(page)
    before = stage_pixels(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    press(page.get_by_role("slider", name="Truncation"), "ArrowLeft", 6)
    wait_for_exact(page)
    page.wait_for_url(re.compile("truncation=0.7"))
    assert stage_pixels(page) != before
    images = [url for url in requests if "/images/" in url or "/preview" in url]
    assert 1 <= len(images) <= 6  # one for each rest, and never one for each step of the slider's animation
    assert all("/at.png?" in url for url in images)


def test_a_link_shows_another_person_the_same_pixels(page: Page) -> None:
    open_play(page)
    wait_for_exact(page)
    page.get_by_role("button", name="Another image", exact=True).click()
    page.get_by_role("button", name="Take variation 3").click()
    press(page.get_by_role("slider", name="Truncation"), "ArrowLeft", 2)
    page.wait_for_url(re.compile("truncation=0.9"))
    wait_for_exact(page)
    link, shown = page.url, saved_bytes(page)
    page.goto("#/models")
    page.goto(link)
    wait_for_exact(page)
    assert page.url == link
    assert saved_bytes(page) == shown


def test_undo_and_redo_move_through_the_faces(page: Page) -> None:
    open_play(page)
    wait_for_exact(page)
    page.get_by_text("Start from an address").click()
    page.get_by_label("Index").fill("7")
    page.get_by_label("Index").press("Enter")
    page.wait_for_url(re.compile("at=1:7"))
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(re.compile(r"at=1:0$"))
    page.keyboard.press("Control+Shift+z")
    page.wait_for_url(re.compile("at=1:7"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("12:34", "12:34"),
        ("/images/{model}/5/6.png", "5:6"),
        ("https://elsewhere.example/prefix/images/{model}/at.png?at=1:0*0.6,2:0*0.8", "1:0*0.6,2:0*0.8"),
        ("https://elsewhere.example/#/play/{model}?at=8:9&truncation=0.5", "8:9"),
        ("77", "77:0"),
    ],
)
def test_an_address_of_any_form_can_be_pasted(page: Page, text: str, at: str) -> None:
    open_play(page)
    wait_for_exact(page)
    model = page.url.split("#/play/")[1].split("?")[0]
    page.get_by_text("Start from an address").click()
    page.get_by_label("Address", exact=True).fill(text.replace("{model}", model))
    page.get_by_role("button", name="Go", exact=True).click()
    page.wait_for_url(lambda url: f"at={at}" in url)
    wait_for_exact(page)


def test_a_wrong_address_gets_a_sentence_that_lists_the_forms(page: Page) -> None:
    open_play(page)
    page.get_by_text("Start from an address").click()
    page.get_by_label("Address", exact=True).fill("a cat")
    page.get_by_label("Address", exact=True).press("Enter")
    expect(page.get_by_role("alert").filter(has_text='"a cat" is not an address')).to_contain_text("1:0")


def test_the_way_between_two_faces_is_in_the_link(page: Page) -> None:
    open_play(page)
    page.get_by_role("button", name="Towards another image").click()
    between = page.get_by_label("Between A and B")
    expect(between).to_have_value("0.5")
    press(between, "ArrowRight", 10)
    page.wait_for_url(re.compile("between=0.6"))
    query = query_of(page)
    assert query["from"] == ["1:0"]
    assert len(query["at"][0].split(",")) == 2
    page.reload()
    expect(page.get_by_label("Between A and B")).to_have_value("0.6")
    assert query_of(page) == query


def test_the_walk_plays_and_stops(page: Page) -> None:
    open_play(page)
    page.get_by_role("button", name="Towards another image").click()
    between = page.get_by_label("Between A and B")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(between).not_to_have_value("0.5")
    page.get_by_role("button", name="Pause").click()
    stopped = between.input_value()
    page.wait_for_timeout(200)
    assert between.input_value() == stopped


def test_the_walk_is_saved_as_a_video(page: Page) -> None:
    open_play(page)
    page.get_by_role("button", name="Towards another image").click()
    with page.expect_download(timeout=40_000) as download:
        page.get_by_role("button", name="Save as video").click()
    assert re.fullmatch(r"generated-[\w-]+-walk-1-0-to-\d+-0\.webm", download.value.suggested_filename)
    assert download.value.path().read_bytes().startswith(b"\x1aE\xdf\xa3")  # the magic number of Matroska and WebM
    expect(page.get_by_text("The video is saved.")).to_be_visible()


def require_sliders(site: LocalSite) -> None:
    """Skip the test where the default model has no sliders."""
    models = site.client.get("/models").json()["models"]
    if not any(model["default"] and "sliders.json" in model["files"] for model in models):
        pytest.skip("NOT TESTED: the default model has no sliders")


def test_a_direction_gets_the_name_that_the_user_gives_it(page: Page, site: LocalSite) -> None:
    require_sliders(site)
    open_play(page)
    direction = page.get_by_role("slider", name="Direction 1")
    direction.focus()
    page.get_by_role("button", name="Name it").click()
    page.get_by_label("Your name for direction 1").fill("turns, the: head")
    page.keyboard.press("Enter")
    named = page.get_by_role("slider", name="Turns the head")
    expect(named).to_be_visible()
    page.wait_for_url(re.compile("names="))
    page.goto("#/models")
    open_play(page)
    expect(named).to_be_visible()  # this browser keeps the name


def test_the_slider_with_the_focus_is_explained(page: Page, site: LocalSite) -> None:
    require_sliders(site)
    open_play(page)
    page.get_by_role("slider", name="Direction 2").focus()
    expect(page.locator(".strip .hint")).to_contain_text("R²")
    expect(page.locator(".strip face-image[data-state=drawn]")).to_have_count(5)
    page.get_by_role("button", name="Set direction 2 to +3.0").click()
    page.wait_for_url(re.compile("shift=direction\\+2:3"))


def test_the_saved_file_says_that_the_image_is_generated(page: Page) -> None:
    open_play(page, "at=4:2")
    wait_for_exact(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    assert re.fullmatch(r"generated-[\w-]+-4-2\.png", download.value.suggested_filename)


def test_one_class_or_a_mix_of_classes_can_be_chosen(page: Page) -> None:
    open_play(page)
    chips = page.get_by_role("group", name="Class of the image")
    chips.get_by_role("button").nth(2).click()
    name = chips.get_by_role("button").nth(2).inner_text()
    page.wait_for_url(re.compile(f"classes={name}:1"))
    chips.get_by_role("button", name="Mix").click()
    press(page.locator(".sliders input").first, "End")
    page.wait_for_url(re.compile(r"classes=[\w-]+:1,[\w-]+:1"))
    wait_for_exact(page)
    chips.get_by_role("button").first.click()
    page.wait_for_url(re.compile(r"at=1:0$"))


def test_the_wall_is_played_by_keys_alone(page: Page) -> None:
    open_play(page, "at=1:0&mode=wall&wall=5&count=64")
    cells = page.locator(".cell")
    expect(cells).to_have_count(64)
    expect(page.locator(".cell face-image[data-state=drawn]").first).to_be_attached()
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("at=5:1"))
    page.keyboard.type("42")
    expect(cells.nth(42)).to_be_focused()
    page.keyboard.press("Shift+Enter")
    page.wait_for_url(re.compile("to=5:42"))
    page.keyboard.press("End")
    expect(cells.nth(63)).to_be_focused()
    page.keyboard.press("Space")
    page.wait_for_url(re.compile(r"\?at=5:63"))
    wait_for_exact(page)


def test_a_click_on_the_wall_opens_a_face(page: Page) -> None:
    open_play(page, "at=1:0&mode=wall&wall=5&count=64")
    page.locator(".cell").nth(3).click()
    page.wait_for_url(re.compile(r"\?at=5:3$"))
    expect(page.get_by_role("link", name="One")).to_have_attribute("aria-current", "true")


def test_a_face_is_mixed_with_one_that_is_chosen_on_the_wall(page: Page) -> None:
    page.goto("#/play/faces-64?at=1:71")
    page.get_by_role("link", name="Choose B on the wall").click()
    expect(page.get_by_text("Click the image to mix with A.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Image 6,")).click()
    expect(page).to_have_url(re.compile(r"from=1:71&to=1:6&between=0.5$"))


def test_the_knob_of_the_square_mixes_four_corners(page: Page) -> None:
    open_play(page, "at=1:0&mode=square")
    page.wait_for_url(re.compile("knob=0.5,0.5"))
    assert len(query_of(page)["at"][0].split(",")) == 4
    press(page.locator(".knob"), "ArrowRight", 10)
    page.wait_for_url(re.compile("knob=1,0.5"))
    assert len(query_of(page)["at"][0].split(",")) == 2
    wait_for_exact(page)
    page.get_by_role("button", name="Play on with this image").click()
    page.get_by_text("Start from an address").click()
    expect(page.get_by_text("A mix of 2 addresses")).to_be_visible()


def test_models_are_compared_at_the_same_addresses(page: Page) -> None:
    open_play(page, "at=9:0&mode=compare")
    expect(page.locator(".compare tbody face-image[data-state=drawn]").first).to_be_visible(timeout=20_000)
    assert page.locator(".compare thead th").nth(1).inner_text() == "9:0"
    rows = page.locator(".compare tbody tr")
    expect(rows.first.locator("face-image")).to_have_count(8)


def test_a_styled_row_is_added_cancelled_and_refused_in_words(page: Page, watch: Watch) -> None:
    watch.expect_message("503|net::ERR")
    style = {"id": "a" * 64, "width": 64, "height": 64, "created": "2026-01-01T00:00:00Z", "thumbnail": ""}
    page.route("**/styles", lambda route: route.fulfill(json={"styles": [style]}))
    held: list[Route] = []
    page.route("**/images/*/9/*.png?style=*", lambda route: held.append(route))
    open_play(page, "at=9:0&mode=compare")
    show = page.get_by_role("button", name="Show styled")
    expect(show).to_have_attribute("aria-pressed", "false")
    assert not held
    show.click()
    expect(page.get_by_text("Styling image 1 of 8.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    page.unroute("**/images/*/9/*.png?style=*")
    refusal = {"title": "no", "status": 503, "code": "no_style_transfer", "detail": "no worker has IMAGEMILL_VGG19"}
    page.route("**/images/*/9/*.png?style=*", lambda route: route.fulfill(status=503, json=refusal))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("IMAGEMILL_VGG19")


def test_play_goes_on_while_the_service_does_not_answer(page: Page, watch: Watch) -> None:
    watch.expect_message("net::ERR_FAILED")
    open_play(page)
    wait_for_exact(page)
    page.route("**/images/**", lambda route: route.abort())
    before = stage_pixels(page)
    press(page.get_by_role("slider", name="Truncation"), "Home")
    expect(page.locator(".mark")).to_have_text(re.compile("^Live only: "), timeout=10_000)
    assert stage_pixels(page) != before
    page.unroute("**/images/**")
    wait_for_exact(page)  # the page tries again by itself


def test_an_unknown_model_leads_to_the_models_that_there_are(page: Page) -> None:
    open_play(page, model="no-such-model")
    expect(page.get_by_text('no model "no-such-model"')).to_be_visible()
    page.locator(".empty a").first.click()
    wait_for_exact(page)


def test_without_a_worker_the_view_waits_for_one(page: Page) -> None:
    page.route("**/models", lambda route: route.fulfill(json={"models": [], "set_aside": []}))
    open_play(page)
    expect(page.get_by_text("No worker is ready yet")).to_be_visible()


def test_a_malformed_link_is_explained(page: Page, watch: Watch) -> None:
    watch.expect_message("at=not-a-point")
    open_play(page, "at=not-a-point")
    expect(page.get_by_role("alert")).to_contain_text("must be like 1:0")
    page.get_by_role("link", name="Start at 1:0").click()
    wait_for_exact(page)


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_accessible_and_fits_narrow_screens(page: Page, mode: str) -> None:
    open_play(page, f"at=1:0&mode={mode}&count=64")
    expect(page.locator("face-image").first).to_be_attached()
    expect(page.locator("face-image:not([data-state=drawn])")).to_have_count(0, timeout=30_000)
    picture(page, f"play-{mode}")
    assert_accessible(page)


def test_the_controls_of_a_mix_are_accessible(page: Page) -> None:
    open_play(page)
    page.get_by_role("button", name="Towards another image").click()
    page.get_by_role("button", name="Mix of classes", exact=True).click()
    page.get_by_text("What a class is, and what it is not").click()
    wait_for_exact(page)
    picture(page, "play-mix")
    assert_accessible(page)


def test_a_slider_event_costs_little_script(page: Page) -> None:
    open_play(page)
    wait_for_exact(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU time, whatever else the machine does

    def script_seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "ScriptDuration"))

    move = """async (slider) => {
      for (let step = 0; step < 100; step++) {
        slider.value = String(0.5 + (step % 10) / 20);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
      }
    }"""
    before = script_seconds()
    page.get_by_role("slider", name="Truncation").evaluate(move)
    seconds = (script_seconds() - before) / 100
    assert seconds < 0.002
