"""The files of the page and the session of a browser, by real HTTP."""

from http.cookies import SimpleCookie

import httpx
import pytest

from tests.command import imagemill
from tests.integration.guarded import Guarded
from tests.integration.proxy import published
from tests.integration.running_service import RunningService
from tests.integration.test_problems import problem

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("path", ["/", "/ui/main.js", "/ui/app.css"])
def test_the_page_has_strict_headers(service: RunningService, path: str) -> None:
    headers = service.client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-cache"


def test_a_second_visit_costs_no_bytes(service: RunningService) -> None:
    first = service.client.get("/ui/main.js")
    again = service.client.get("/ui/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Content-Encoding"] == "gzip"
    plain = service.client.get("/ui/main.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == first.content


def test_head_has_the_headers_alone(service: RunningService) -> None:
    found = service.client.head("/")
    assert (found.status_code, found.content) == (200, b"")
    assert found.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/ui/none.js", "/ui/../main.py", "/ui/%2e%2e/main.py", "/ui/", "/ui/vendor"])
def test_what_is_no_file_of_the_page_is_not_found(service: RunningService, path: str) -> None:
    assert problem(service.client.get(path))["status"] == 404


def test_the_documentation_is_a_view_of_the_page(service: RunningService) -> None:
    with published(service.url, "/some/prefix", {"X-Forwarded-Prefix": "/some/prefix"}) as url:
        found = httpx.get(f"{url}/docs", follow_redirects=True)
        assert found.status_code == 200
        assert str(found.url) == f"{url}/#/api"


def test_the_version_changes_with_the_files(service: RunningService) -> None:
    version = service.client.get("/version").json()["version"]
    assert "+" in version


def start(guarded: Guarded, owner: str, headers: dict[str, str] | None = None) -> httpx.Response:
    guarded.use(owner)
    body = {"key": guarded.secrets[owner]}
    return httpx.post(f"{guarded.service.url}/session", json=body, headers=headers or SAME)


def cookie(response: httpx.Response) -> dict[str, str]:
    return {"Cookie": f"imagemill_session={response.cookies['imagemill_session']}"}


def test_the_page_needs_no_key_and_the_data_does(guarded: Guarded) -> None:
    for path in ("/", "/ui/main.js", "/version", "/session", "/openapi.json"):
        assert httpx.get(f"{guarded.service.url}{path}").status_code == 200, path
    for path in ("/models", "/jobs", "/runs"):
        assert httpx.get(f"{guarded.service.url}{path}").status_code == 401, path


def test_a_session_stands_for_its_key(guarded: Guarded) -> None:
    started = start(guarded, "alice")
    morsel = SimpleCookie(started.headers["Set-Cookie"])["imagemill_session"]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/")
    assert (morsel["max-age"], morsel["secure"]) == ("43200", "")
    with httpx.Client(base_url=guarded.service.url, headers=cookie(started)) as browser:
        assert browser.get("/session").json() == {"needs_key": True, "owner": "alice"}
        assert browser.get("/models").status_code == 200
        assert browser.post("/generate?n=1", headers=SAME).status_code == 202
        assert browser.delete("/session", headers=SAME).status_code == 204
        assert browser.get("/models").status_code == 401
        assert browser.get("/session").json() == {"needs_key": True, "owner": None}


def test_behind_https_the_cookie_is_for_https_alone(guarded: Guarded) -> None:
    started = start(guarded, "alice", {**SAME, "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/im"})
    morsel = SimpleCookie(started.headers["Set-Cookie"])["imagemill_session"]
    assert (morsel["secure"], morsel["path"]) == (True, "/im/")


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:1", "http://evil.example", "null"])
def test_another_page_cannot_use_a_session(guarded: Guarded, headers: dict[str, str], origin: str | None) -> None:
    sent = {**headers, **({} if origin is None else {"Origin": origin}), **cookie(start(guarded, "alice"))}
    refused = problem(httpx.post(f"{guarded.service.url}/generate?n=1", headers=sent))
    assert (refused["status"], refused["code"]) == (403, "cross_site")


def test_without_fetch_metadata_the_origin_decides(guarded: Guarded) -> None:
    """Browsers send Sec-Fetch-Site to https and loopback only."""
    sent = {"Origin": guarded.service.url, **cookie(start(guarded, "alice"))}
    assert httpx.post(f"{guarded.service.url}/generate?n=1", headers=sent).status_code == 202


def test_another_page_cannot_start_a_session(guarded: Guarded) -> None:
    refused = problem(start(guarded, "alice", {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}))
    assert refused["code"] == "cross_site"


def test_a_wrong_key_starts_none(guarded: Guarded) -> None:
    refused = problem(httpx.post(f"{guarded.service.url}/session", json={"key": "wrong"}, headers=SAME))
    assert (refused["status"], refused["code"]) == (401, "unauthorized")
    for body in ({}, {"key": ""}, {"key": "a", "more": 1}):
        assert httpx.post(f"{guarded.service.url}/session", json=body).status_code == 422


def test_a_session_ends_with_its_key(guarded: Guarded) -> None:
    headers = cookie(start(guarded, "leaver"))
    assert httpx.get(f"{guarded.service.url}/models", headers=headers).status_code == 200
    imagemill("keys", "remove", "leaver", "--file", guarded.file, cwd=guarded.file.parent)
    assert httpx.get(f"{guarded.service.url}/models", headers=headers).status_code == 401
    guarded.add("leaver")  # the new key of the same owner is another key
    assert httpx.get(f"{guarded.service.url}/models", headers=headers).status_code == 401


def test_a_service_without_keys_has_no_sessions(service: RunningService) -> None:
    assert service.client.get("/session").json() == {"needs_key": False, "owner": None}
    assert problem(service.client.post("/session", json={"key": "a"}))["code"] == "no_keys"


def test_a_secret_of_a_session_is_not_stored(guarded: Guarded) -> None:
    started = start(guarded, "alice")
    token = started.cookies["imagemill_session"]
    keys = guarded.service.redis.keys("imagemill:session:*")
    assert keys
    assert not [key for key in keys if token.encode() in key]
    values = [guarded.service.redis.get(key) for key in keys]
    assert not [value for value in values if guarded.secrets["alice"] in str(value)]
    assert all(0 < guarded.service.redis.ttl(key) <= 12 * 3600 for key in keys)
