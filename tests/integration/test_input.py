"""No input is ignored in silence: it is used, or refused with a hint."""

import socket
from typing import Any

import pytest

from tests.integration.running_service import MAX_IMAGES, RunningService
from tests.integration.test_problems import UNKNOWN, problem
from tests.tiny import LABELLED, PLAIN

JSON = {"Content-Type": "application/json"}
FORM = "application/x-www-form-urlencoded"


def test_a_json_body_says_what_the_query_says(service: RunningService) -> None:
    wanted: dict[str, Any] = {
        "n": 2,
        "seed": 7,
        "model": LABELLED,
        "class": "cross",
        "start": 3,
        "format": "webp",
        "ttl_hours": 2,
    }
    by_query = service.client.post("/generate", params=wanted)
    by_body = service.client.post("/generate", json=wanted)
    assert (by_query.status_code, by_body.status_code) == (202, 202)
    told = [{name: answer.json()[name] for name in wanted if name != "ttl_hours"} for answer in (by_query, by_body)]
    assert told[0] == told[1] == {name: value for name, value in wanted.items() if name != "ttl_hours"}


def test_parameters_may_be_shared_out_among_query_and_body(service: RunningService) -> None:
    job = service.client.post("/generate?n=3", json={"seed": 1, "model": LABELLED, "class": None}).json()
    assert (job["n"], job["seed"], job["class"]) == (3, 1, None)


def test_the_same_request_by_query_and_by_body_finds_the_same_job(service: RunningService) -> None:
    key = {"Idempotency-Key": "by any way"}
    ids = {
        service.client.post("/generate?n=2&seed=5&start=0", headers=key).json()["id"],
        service.client.post("/generate", json={"n": 2, "seed": 5}, headers=key).json()["id"],
        service.client.post("/generate?n=2", json={"seed": 5, "format": "png"}, headers=key).json()["id"],
    }
    assert len(ids) == 1
    refused = service.client.post("/generate", json={"n": 2, "seed": 6}, headers=key)
    assert problem(refused)["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("query", "content", "said"),
    [
        ("", "{}", "n: required, but missing"),
        ("", '{"n": "5"}', "n: must be a number, in JSON without quotes, got '5'"),
        ("", '{"n": true}', "n: must be a number, in JSON without quotes, got 'true'"),
        ("", '{"n": 5.0}', f"n: must be a whole number between 1 and {MAX_IMAGES}, got '5.0'"),
        ("", '{"n": 0}', f"n: must be a whole number between 1 and {MAX_IMAGES}, got '0'"),
        ("", '{"n": [5]}', f"n: must be a whole number between 1 and {MAX_IMAGES}, got '[5]'"),
        ("", '{"n": null}', "n: "),
        ("", '{"n": 1, "seed": "1"}', "seed: must be a number"),
        ("", '{"n": 1, "seed": 1e3}', "seed: must be a whole number"),
        ("", '{"n": 1, "class": 1}', "class: "),
        ("", f'{{"n": 1, "style": "{"0" * 64}", "style_strength": "0.5"}}', "style_strength: must be a number"),
        ("", f'{{"n": 1, "style": "{"0" * 64}", "style_strength": true}}', "style_strength: must be a number"),
        ("", f'{{"n": 1, "style": "{"0" * 64}", "style_strength": NaN}}', "JSON has no NaN"),
        ("", '{"n": 1, "num_images": 2}', "num_images: no such parameter"),
        ("", '{"n": 1, "n": 2}', "n: sent more than once"),
        ("", '{"n": 1, "class_label": "cross"}', "class_label: no such parameter"),
        ("?n=1", '{"n": 1}', "n: sent in the query and in the body"),
        ("?n=1", '{"style_mode": "standard"}', "require `style`"),
        ("", "[1]", "must be a JSON object"),
        ("", "n=5", "not valid JSON"),
        ("", '"\ud800"', "not valid JSON"),
        ("", '{"n": 1, "\\ud800": 1}', "not valid JSON"),
        ("", '{"n": 1, "\\ud800": 1, "\\ud800": 1}', "not valid JSON"),
        ("", '{"n": 1, "model": "\\ud800"}', "not valid JSON"),
        ("", "[" * 60_000, "not valid JSON"),
        ("", '{"n": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
)
def test_a_bad_body_is_refused_by_name(service: RunningService, query: str, content: str, said: str) -> None:
    data = content.encode(errors="surrogatepass")
    body = problem(service.client.post(f"/generate{query}", content=data, headers=JSON))
    assert body["status"] == 422
    assert said in body["detail"]


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {"data": {"n": "5"}}),
        ("?n=3", {"data": {"seed": "1"}}),
        ("?n=3", {"files": {"seed": (None, "1")}}),
        ("?n=3", {"content": b'{"seed": 1}'}),
        ("?n=3", {"content": b'{"seed": 1}', "headers": {"Content-Type": FORM}}),
        ("?n=3", {"content": b"seed: 1", "headers": {"Content-Type": "text/yaml"}}),
    ],
)
def test_a_body_of_another_type_is_refused_with_a_hint(
    service: RunningService, query: str, options: dict[str, Any]
) -> None:
    body = problem(service.client.post(f"/generate{query}", **options))
    assert (body["status"], body["code"]) == (415, "unsupported_media_type")
    assert "/generate?n=500&seed=1" in body["detail"]
    assert "Content-Type: application/json" in body["detail"]


def test_a_body_that_is_too_large_is_refused(service: RunningService) -> None:
    refused = service.client.post("/generate?n=1", content=b" " * 70_000, headers=JSON)
    assert (problem(refused)["status"], problem(refused)["code"]) == (413, "body_too_large")


def test_an_empty_body_says_nothing_whatever_its_type(service: RunningService) -> None:
    for content in (b"", b" \n"):
        assert service.client.post("/generate?n=1", content=content, headers=JSON).status_code == 202


def operations(service: RunningService) -> list[tuple[str, str]]:
    """All operations of the document, with something in the place of every id."""
    values = {"job_id": UNKNOWN, "index": "0", "suffix": "png", "style_id": "0" * 64, "model": PLAIN, "seed": "1"}
    values |= {
        "k": "0",
        "picture": "grid",
        "sha256": "0" * 64,
        "file": "sliders.json",
        "number": "0",
        "images_seen": "1",
    }
    paths = service.client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path.format(name=PLAIN, **values)) for path, item in paths.items() for method in item]


def test_no_endpoint_ignores_a_body(service: RunningService) -> None:
    for method, path in operations(service):
        refused = service.client.request(method, path, content=b'{"n": 3, "more": "of this"}', headers=JSON)
        assert problem(refused)["status"] in (415, 422), (method, path)


def test_no_endpoint_ignores_a_parameter(service: RunningService) -> None:
    for method, path in operations(service):
        refused = problem(service.client.request(method, path, params={"unheard": "of"}))
        assert refused["status"] == 422, (method, path)
        assert "unheard: no such parameter" in refused["detail"]


def test_an_empty_object_may_come_where_no_body_is_read(idle_service: RunningService) -> None:
    job = idle_service.generate(1)
    assert idle_service.client.post(job["links"]["cancel"], json={}).json()["state"] == "cancelled"


def test_no_field_of_an_upload_is_ignored(service: RunningService) -> None:
    fields: dict[str, Any] = {"name": (None, "sunset"), "file": ("a.png", b"x")}
    refused = problem(service.client.post("/styles", files=fields))
    assert (refused["status"], refused["detail"]) == (422, "name: no such field; send `file` alone")


def test_a_body_that_breaks_off_is_no_error_of_ours(service: RunningService) -> None:
    before, jobs = service.api_log.stat().st_size, accepted(service)
    for line in ("Content-Length: 99", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", int(service.url.rsplit(":", 1)[1]))) as connection:
            head = f"POST /generate?n=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{line}"
            connection.sendall(f"{head}\r\n\r\n{{".encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)
    assert service.client.get("/healthz").is_success
    assert accepted(service) == jobs
    assert b"Traceback" not in service.api_log.read_bytes()[before:]


def accepted(service: RunningService) -> set[str]:
    return {path.name for path in (service.folder / "store" / "jobs").iterdir()}
