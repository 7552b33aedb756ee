"""A service with keys: the page asks for a key, keeps a session, forgets it, and notices that a key is removed."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import picture
from tests.browser.local_site import LocalSite
from tests.browser.watch import Watch
from tests.command import imagemill


def add_key(site: LocalSite, owner: str) -> str:
    done = imagemill("keys", "add", owner, "--file", site.folder / "keys.json", cwd=site.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def key(site: LocalSite) -> str:
    return add_key(site, "alice")


@pytest.fixture(scope="module")
def guarded_url(site: LocalSite, key: str) -> Iterator[str]:  # noqa: ARG001
    with site.another_api(IMAGEMILL_KEYS=str(site.folder / "keys.json")) as url:
        yield url


def enter(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_a_key_opens_the_view_that_needed_it(page: Page, watch: Watch, guarded_url: str, key: str) -> None:
    watch.add_origin(guarded_url)
    watch.expect_message("401")
    page.goto(f"{guarded_url}/#/runs/0")
    expect(page.get_by_text("This service needs a key.")).to_be_visible()
    assert_accessible(page)
    picture(page, "needs-key")
    page.get_by_role("main").get_by_role("link", name="Enter a key").click()
    enter(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("this key is not known")
    assert_accessible(page)
    picture(page, "key")
    enter(page, key)
    expect(page.get_by_role("heading", level=2)).to_have_text("Run 0: flagship-faces-64")
    expect(page.locator("#account")).to_contain_text("alice")
    assert_accessible(page)
    page.reload()  # the cookie opens images too, which send no header
    expect(page.locator("figure.sheet img")).to_be_visible()
    assert page.locator("figure.sheet img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert "imagemill_session" not in page.evaluate("document.cookie")
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_role("button", name="Use this key")).to_be_visible()
    assert page.context.cookies() == []


def test_a_removed_key_ends_its_sessions(page: Page, site: LocalSite, watch: Watch, guarded_url: str) -> None:
    watch.add_origin(guarded_url)
    watch.expect_message("401")
    page.goto(f"{guarded_url}/#/key")
    enter(page, add_key(site, "brief"))
    expect(page.locator("#account")).to_contain_text("brief")
    imagemill("keys", "remove", "brief", "--file", site.folder / "keys.json", cwd=site.folder)
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_text("This service needs a key.")).to_be_visible()


def test_the_page_of_a_service_without_keys_asks_for_none(page: Page) -> None:
    page.goto("#/key")
    expect(page.get_by_text("This service needs no key.")).to_be_visible()
    expect(page.locator("#account")).to_be_empty()


def test_a_session_outlives_a_restart_of_the_api(site: LocalSite, key: str) -> None:
    environment = {"IMAGEMILL_KEYS": str(site.folder / "keys.json")}
    with site.another_api(**environment) as url:
        token = httpx.post(f"{url}/session", json={"key": key}).raise_for_status().cookies["imagemill_session"]
    with site.another_api(**environment) as url:
        assert httpx.get(f"{url}/models", headers={"Cookie": f"imagemill_session={token}"}).status_code == 200
