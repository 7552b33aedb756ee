"""Requests of other sites' pages, sent by the browser of a user who runs the service on loopback without keys."""

from collections.abc import Iterator

import httpx
import pytest

from app.settings import Settings
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.integration.test_problems import problem
from tests.tiny import PLAIN
from worker.contracts.errors import SettingsError


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        ("POST", "/generate?n=100", "no-cors"),
        ("POST", "/generate?n=100", "navigate"),
        ("POST", "/styles", "navigate"),
        ("GET", f"/images/{PLAIN}/1/1.png", "no-cors"),
    ],
)
def test_a_page_of_another_site_cannot_ask(service: RunningService, method: str, path: str, mode: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    refused = service.client.request(method, path, headers=headers)
    assert (problem(refused)["status"], problem(refused)["code"]) == (403, "cross_site")


def test_a_link_on_another_site_can_be_followed(service: RunningService) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert service.client.get("/models", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_a_notebook_on_the_same_machine_can_ask(service: RunningService, site: str) -> None:
    assert service.client.get(f"/images/{PLAIN}/1/1.png", headers={"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", ""])
def test_a_site_whose_name_leads_to_loopback_is_told_nothing(service: RunningService, name: str) -> None:
    refused = service.client.get("/styles", headers={"Host": name})
    assert (problem(refused)["status"], problem(refused)["code"]) == (403, "cross_site")


@pytest.mark.parametrize("name", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000", "192.168.0.7"])
def test_this_machine_has_many_names(service: RunningService, name: str) -> None:
    assert service.client.get("/models", headers={"Host": name}).status_code == 200


def test_where_anyone_is_let_in_the_service_may_have_any_name(service: RunningService) -> None:
    with service.another_api(IMAGEMILL_OPEN="anyone") as (client, _):
        assert client.get("/models", headers={"Host": "images.example"}).status_code == 200


NOTEBOOK = "http://localhost:8888"
READABLE = {"Location", "ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "Content-Disposition", "X-Request-Id"}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, idempotency-key, prefer, content-type",
}


@pytest.fixture(scope="module")
def listed(guarded: Guarded) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two services that a notebook's page may use, one without keys and one with keys."""
    origins = {"IMAGEMILL_CORS_ORIGINS": f"{NOTEBOOK}, https://images.example/"}
    start = guarded.service.another_api
    with start(**origins, IMAGEMILL_KEYS="") as (free, _), start(**origins) as (kept, _):
        yield free, kept


def test_no_page_of_another_origin_is_let_in_by_default(service: RunningService) -> None:
    asked = service.client.options("/generate", headers={"Origin": NOTEBOOK, **PREFLIGHT})
    read = service.client.get("/models", headers={"Origin": NOTEBOOK})
    assert (asked.status_code, read.status_code) == (405, 200)
    assert not [name for answer in (asked, read) for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", [NOTEBOOK, "https://images.example"])
def test_a_listed_page_may_ask_and_needs_no_key_for_the_question(
    listed: tuple[httpx.Client, httpx.Client], origin: str
) -> None:
    for api in listed:
        asked = api.options("/generate", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site", **PREFLIGHT})
        assert asked.is_success, asked.text
        assert asked.headers["Access-Control-Allow-Origin"] == origin
        assert "POST" in asked.headers["Access-Control-Allow-Methods"]
        allowed = asked.headers["Access-Control-Allow-Headers"].lower()
        assert all(name.strip() in allowed for name in PREFLIGHT["Access-Control-Request-Headers"].split(","))
        assert "Access-Control-Allow-Credentials" not in asked.headers


def test_a_listed_page_may_read_what_it_is_answered(listed: tuple[httpx.Client, httpx.Client]) -> None:
    free, kept = listed
    headers = {"Origin": NOTEBOOK, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    accepted = free.post("/generate", json={"n": 1}, headers=headers)
    refused = kept.post("/generate", json={"n": 1}, headers=headers)
    assert (accepted.status_code, refused.status_code) == (202, 401)
    for answer in (accepted, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == NOTEBOOK
        assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) >= READABLE
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8889", f"{NOTEBOOK}.evil.example", "null"])
def test_other_pages_are_let_in_no_more_than_before(listed: tuple[httpx.Client, httpx.Client], origin: str) -> None:
    for api in listed:
        asked = api.options("/generate", headers={"Origin": origin, **PREFLIGHT})
        sent = api.post("/generate?n=1", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        assert asked.status_code in (401, 405)
        assert sent.status_code in (401, 403)
        assert not [name for answer in (asked, sent) for name in answer.headers if name.startswith("access-control")]


def test_all_origins_are_let_in_only_where_there_are_keys(guarded: Guarded) -> None:
    with guarded.service.another_api(IMAGEMILL_CORS_ORIGINS="*") as (api, _):
        asked = api.options("/generate", headers={"Origin": "http://any.example", **PREFLIGHT})
        assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (200, "*")
    with pytest.raises(
        SettingsError, match="IMAGEMILL_CORS_ORIGINS: without keys, \\* would let every site use the service"
    ):
        Settings(cors_origins="*")  # type: ignore[arg-type]


@pytest.mark.parametrize("setting", ["localhost:8888", "http://a.example/page", "*.example", "null", f"*,{NOTEBOOK}"])
def test_an_origin_that_no_browser_sends_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match="IMAGEMILL_CORS_ORIGINS"):
        Settings(cors_origins=setting)  # type: ignore[arg-type]
