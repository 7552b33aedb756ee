"""Behind a proxy that publishes the service under a prefix, every link leads back through the proxy."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from app.client import Client
from tests.integration.proxy import published
from tests.integration.running_service import RunningService
from tests.integration.test_problems import problem
from tests.tiny import PLAIN

PREFIXES = ["/im", "/user/j%C3%B6rg@example.org/proxy/8000", "/images", "/jobs"]


@pytest.fixture(params=PREFIXES)
def told(service: RunningService, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL behind a proxy that strips the prefix and sends it in X-Forwarded-Prefix."""
    with published(service.url, request.param, {"X-Forwarded-Prefix": request.param}) as url:
        yield url


def check_links(url: str, asked: str, job: dict[str, Any]) -> None:
    """Resolve the links of a response against the request's URL (RFC 3986)."""
    for name in ("self", "download", "image"):
        link = job["links"][name].replace("{index}", "0")
        assert httpx.get(urljoin(asked, link)).status_code == 200, link
    for name in ("cancel", "retry", "rebuild"):
        assert urljoin(asked, job["links"][name]).startswith(f"{url}/jobs/{job['id']}/")


def test_links_are_right_behind_a_prefix(told: str) -> None:
    accepted = httpx.post(f"{told}/generate?n=2", headers={"Prefer": "wait=30"})
    check_links(told, f"{told}/generate", accepted.json())
    place = urljoin(f"{told}/generate", accepted.headers["Location"])
    found = httpx.get(place)
    assert found.json()["id"] == accepted.json()["id"]
    check_links(told, place, found.json())


def test_other_addresses_are_right_behind_a_prefix(told: str) -> None:
    archive = httpx.post(f"{told}/generate?n=1", headers={"Accept": "application/zip"})
    assert httpx.get(urljoin(told, archive.headers["Content-Location"])).content == archive.content
    assert httpx.get(f"{told}/images/{PLAIN}/1/1.png").status_code == 200
    missing = problem(httpx.get(f"{told}/jobs/{'A' * 22}"))
    assert missing["instance"] == f"{urlsplit(told).path}/jobs/{'A' * 22}"


def test_the_document_of_the_api_is_right_behind_a_prefix(told: str) -> None:
    found = httpx.get(f"{told}/openapi.json").json()
    assert [server["url"] for server in found["servers"]] == [urlsplit(told).path]


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Prefix": "/im"}, {"X-Forwarded-Prefix": "/im/"}])
def test_clients_that_put_a_base_before_every_path_work_behind_a_prefix(
    service: RunningService, headers: dict[str, str]
) -> None:
    """Like the README's example with httpx and a base_url, and like our own client."""
    with published(service.url, "/im", headers) as url:
        with httpx.Client(base_url=url) as api:
            job = api.post("/generate", params={"n": 2}).raise_for_status().json()
            assert api.get(job["links"]["download"]).raise_for_status().content.startswith(b"PK")
            assert api.get(api.get(job["links"]["self"]).json()["links"]["self"]).json()["id"] == job["id"]
        with Client(url) as client:
            assert list(client.follow(client.generate(n=2)))[-1].state == "succeeded"


@pytest.mark.parametrize("strips", [True, False])
def test_a_prefix_can_be_set_for_a_proxy_that_does_not_tell_it(service: RunningService, *, strips: bool) -> None:
    url = service.start_api(IMAGEMILL_ROOT_PATH="/im")
    with published(url, "/im", {}, strips=strips) as told:
        accepted = httpx.post(f"{told}/generate?n=2", headers={"Prefer": "wait=30"})
        check_links(told, f"{told}/generate", accepted.json())


@pytest.mark.parametrize("prefix", ["/", ""])
def test_no_prefix_is_as_good_as_none(service: RunningService, prefix: str) -> None:
    answer = service.client.post("/generate?n=1", headers={"X-Forwarded-Prefix": prefix})
    assert answer.headers["Location"] == f"/jobs/{answer.json()['id']}"


FOREIGN = ["//evil.example", "http://evil.example", "im", "/a/../b", "/.", "/" * 9, "/a" * 200]
ODD = [
    "/im,/jm",
    "/%2e%2e/x",
    "/a%0d%0ab",
    "/100%",
    "/a'b",
    '/a"b',
    "/<b>",
    "/a b",
    "/a\\b",
    "/im, /jm",
    "/a?b",
    "/a#b",
]


@pytest.mark.parametrize("prefix", [*FOREIGN, *ODD])
def test_a_prefix_that_is_no_plain_path_is_refused(service: RunningService, prefix: str) -> None:
    for path in ("/models", "/docs"):
        refused = problem(service.client.get(path, headers={"X-Forwarded-Prefix": prefix}))
        assert (refused["status"], refused["code"]) == (400, "bad_prefix")


def test_two_prefixes_are_refused(service: RunningService) -> None:
    told = [("X-Forwarded-Prefix", "/a"), ("X-Forwarded-Prefix", "/b")]
    assert problem(service.client.get("/models", headers=told))["code"] == "bad_prefix"
