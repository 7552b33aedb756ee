"""What the HTTP API says of itself."""

import difflib

import pytest

from tests.frozen import snapshot
from tests.frozen.service import Service


def test_the_openapi_document_stays(service: Service) -> None:
    snapshot.check("openapi.json", snapshot.as_json(service.client.get("/openapi.json").json()))


def test_keys_change_the_openapi_document_in_the_same_places(service: Service) -> None:
    without, with_keys = (snapshot.as_json(client.get("/openapi.json").json()) for client in service.clients)
    lines = difflib.unified_diff(without.splitlines(), with_keys.splitlines(), "without keys", "with keys", lineterm="")
    snapshot.check("openapi-with-keys.diff", "".join(f"{line}\n" for line in lines if not line.startswith("@@")))


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("GET", "/generate"), ("POST", "/generate")])
def test_a_problem_keeps_its_members(service: Service, method: str, path: str) -> None:
    response = service.client.request(method, path)
    found = {"content-type": response.headers["content-type"], "body": response.json()}
    snapshot.check(f"problem-{response.status_code}.json", snapshot.as_json(found))
