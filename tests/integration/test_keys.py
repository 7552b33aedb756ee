"""Keys and tenants, over HTTP and from the command line."""

import io
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.command import COMMAND, ENVIRONMENT, imagemill
from tests.integration.guarded import Guarded
from tests.integration.running_service import DEADLINE_SECONDS
from tests.integration.test_problems import problem
from tests.ports import free_port
from tests.tiny import PLAIN

UNKNOWN = "A" * 22
LIMITED = {"max-images": 1000, "max-jobs": 5}


def bring(client: httpx.Client, side: int) -> httpx.Response:
    file = io.BytesIO()
    Image.effect_mandelbrot((side, 30), (-2, -1, 1, 1), 9).convert("RGB").save(file, "PNG")
    return client.post("/styles", files={"file": ("a painting", file.getvalue())})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/generate?n=1"),
        ("GET", f"/jobs/{UNKNOWN}"),
        ("GET", "/styles"),
        ("POST", "/styles"),
        ("GET", "/models"),
        ("GET", f"/images/{PLAIN}/1/1.png"),
        ("GET", "/nowhere"),
        ("GET", "/healthz/"),
    ],
)
def test_without_a_key_or_with_a_wrong_one_nothing_is_told(guarded: Guarded, method: str, path: str) -> None:
    right = guarded.secrets["alice"]
    for sent in (None, "", "Bearer", f"Bearer {right}x", f"Basic {right}", right, f"Bearer {'x' * 9000}"):
        headers = {} if sent is None else {"Authorization": sent}
        refused = httpx.request(method, guarded.service.url + path, headers=headers, timeout=DEADLINE_SECONDS)
        assert (problem(refused)["status"], problem(refused)["code"]) == (401, "unauthorized")
        assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_body_is_not_waited_for_when_there_is_no_key(guarded: Guarded) -> None:
    host, port = guarded.service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"POST /styles HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


OPEN_PATHS = ("/healthz", "/readyz", "/version", "/session")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_probes_and_documentation_need_no_key(guarded: Guarded, path: str) -> None:
    found = httpx.get(guarded.service.url + path, timeout=DEADLINE_SECONDS, follow_redirects=True)
    assert found.status_code == 200


def test_the_documentation_tells_where_a_key_is_needed(guarded: Guarded) -> None:
    schema = httpx.get(f"{guarded.service.url}/openapi.json", timeout=DEADLINE_SECONDS).json()
    (scheme,) = schema["components"]["securitySchemes"].items()
    assert (scheme[1]["type"], scheme[1]["scheme"]) == ("http", "bearer")
    assert schema["security"] == [{scheme[0]: []}]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation.get("security") == ([] if path in OPEN_PATHS else None), path


def test_with_a_key_all_is_as_usual(guarded: Guarded) -> None:
    assert len(guarded.service.hashes(20)) == 20
    assert guarded.use("alice").get(f"/images/{PLAIN}/3/4.png").status_code == 200
    assert "RateLimit" not in guarded.use("alice").post("/generate?n=1").headers


def test_a_foreign_job_is_exactly_as_unknown_as_none(guarded: Guarded) -> None:
    job = guarded.service.wait_done(guarded.service.generate(3)["id"])["id"]
    bob = guarded.use("bob")
    for method, path in [
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/download"),
        ("HEAD", "/download"),
        ("GET", "/images/0.png"),
        ("GET", "/images/0.webp"),
        ("GET", "/images/99.png"),
        ("POST", "/cancel"),
    ]:
        foreign = bob.request(method, f"/jobs/{job}{path}")
        unknown = bob.request(method, f"/jobs/{UNKNOWN}{path}")
        assert foreign.status_code == 404, path
        assert foreign.content.replace(job.encode(), UNKNOWN.encode()) == unknown.content
        dated = [
            [(k, v) for k, v in answer.headers.items() if k not in ("date", "x-request-id")]
            for answer in (foreign, unknown)
        ]
        assert dated[0] == dated[1]
    assert guarded.use("alice").get(f"/jobs/{job}/download").status_code == 200


def test_a_foreign_style_is_unknown(guarded: Guarded) -> None:
    style = bring(guarded.use("alice"), 41).json()["id"]
    bob, none = guarded.use("bob"), "0" * 64
    assert bob.get("/styles").json() == {"styles": []}
    for path in (f"/styles/{style}", f"/generate?n=1&style={style}", f"/images/{PLAIN}/1/1.png?style={style}"):
        method = "POST" if "generate" in path else "GET"
        foreign, unknown = bob.request(method, path), bob.request(method, path.replace(style, none))
        assert foreign.status_code == (404 if path.startswith("/styles") else 422)
        assert foreign.text.replace(style, none) == unknown.text
    assert guarded.use("alice").get(f"/styles/{style}").status_code == 200


def test_two_owners_of_the_same_picture_do_not_learn_of_each_other(guarded: Guarded) -> None:
    owners = [guarded.use(owner) for owner in ("al", "alice", "bob")]  # one's name begins as another's
    brought = [bring(client, 42) for client in owners]
    assert [answer.status_code for answer in brought] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in brought}) == 1
    for client, answer in zip(owners, brought, strict=True):
        assert [style for style in client.get("/styles").json()["styles"] if style["width"] == 42] == [answer.json()]
        assert bring(client, 42).status_code == 200
        assert client.get(answer.json()["thumbnail"]).content == owners[0].get(answer.json()["thumbnail"]).content
    assert owners[0].get("/styles").json()["styles"] == [brought[0].json()]


def test_an_address_gives_all_owners_the_same_bytes_and_none_of_them_a_job(guarded: Guarded) -> None:
    path, jobs = f"/images/{PLAIN}/77/5.png", guarded.service.folder / "store" / "jobs"
    before = set(jobs.iterdir())
    answers = [guarded.use(owner).get(path) for owner in ("alice", "bob", "alice")]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert set(jobs.iterdir()) == before


def test_owners_take_turns_however_many_jobs_each_has(guarded: Guarded) -> None:
    n, many, few = 2048, guarded.use("many"), guarded.use("few")
    jobs = [many.post("/generate", params={"n": n}).raise_for_status().json()["id"] for _ in range(8)]
    own = few.post("/generate", params={"n": n}).raise_for_status().json()["id"]
    while not few.get(f"/jobs/{own}", headers={"Prefer": "wait=10"}).json()["done"]:
        pass
    done = sum(many.get(f"/jobs/{job}").json()["images_done"] for job in jobs)
    for job in jobs:
        many.post(f"/jobs/{job}/cancel")
    assert 0 < done < 3 * n  # job by job, all nine would end at the same time


def test_keys_come_and_go_while_the_service_runs(guarded: Guarded) -> None:
    client = guarded.use("brief")
    assert client.get("/models").status_code == 200
    good = guarded.file.read_text()
    guarded.file.write_text("{")
    assert client.get("/models").status_code == 200
    guarded.file.write_text(good)
    imagemill("keys", "remove", "brief", "--file", guarded.file, cwd=guarded.file.parent)
    assert client.get("/models").status_code == 401
    assert guarded.use("alice").get("/models").status_code == 200


@pytest.mark.parametrize("command", [("api",), ("up", "--data", "data")])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_who_listens_to_the_world_without_keys_is_stopped(tmp_path: Path, command: tuple[str, ...], host: str) -> None:
    port = free_port()
    refused = imagemill(*command, "--host", host, "--port", str(port), cwd=tmp_path)
    assert refused.returncode == 1
    assert (refused.stdout + refused.stderr).count("\n") == 1
    assert f"Error: on {host} without keys, anyone could use this service" in refused.stdout + refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_that_are_not_there_stop_the_service(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"IMAGEMILL_KEYS": "none.json"}
    for command in ("api", "up"):
        done = subprocess.run(
            [*COMMAND, command, "--port", "0"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stdout + done.stderr == "Error: cannot read the key file none.json (No such file or directory)\n"


def test_the_command_line_shows_its_key(guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("generate", "-n", "3", "-o", "out.zip", "--server", guarded.service.url)
    refused = imagemill(*arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert "a key is required" in refused.stderr
    monkeypatch.setitem(ENVIRONMENT, "IMAGEMILL_KEY", guarded.secrets["alice"])
    done = imagemill(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert guarded.secrets["alice"] not in done.stdout + done.stderr
    monkeypatch.setitem(ENVIRONMENT, "IMAGEMILL_KEY", guarded.secrets["alice"] + "\n")
    refused = imagemill(*arguments, cwd=tmp_path)
    assert "check IMAGEMILL_KEY" in refused.stderr
    assert guarded.secrets["alice"] not in refused.stdout + refused.stderr


def test_keys_are_listed_without_being_told(guarded: Guarded) -> None:
    guarded.use("listed", **LIMITED)
    listed = imagemill("keys", "list", "--file", guarded.file, cwd=guarded.file.parent).stdout
    assert "listed  images: 1000  jobs: 5\n" in listed
    assert not [secret for secret in guarded.secrets.values() if secret in listed]
    twice = imagemill("keys", "add", "listed", "--file", guarded.file, cwd=guarded.file.parent)
    assert (twice.returncode, twice.stdout) == (1, "")
    assert twice.stderr == "Error: listed already has a key; remove it first\n"


def test_no_key_is_in_a_log_in_the_store_or_in_a_command(guarded: Guarded) -> None:
    assert guarded.use("alice").get("/models", params={"x": "y"}).status_code == 422
    assert guarded.use("alice").post("/generate", params={"n": 1, "model": PLAIN}).status_code == 202
    told = [path.read_bytes() for path in guarded.service.folder.rglob("*") if path.is_file()]
    told += [arguments(process) for process in Path("/proc").iterdir() if process.name.isdigit()]
    assert any(b"job accepted" in data and b"owner=alice" in data for data in told)
    for secret in guarded.secrets.values():
        assert not [data for data in told if secret.encode() in data]


def arguments(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_the_owner_of_a_job_is_written_down(guarded: Guarded) -> None:
    job: dict[str, Any] = guarded.use("bob").post("/generate?n=1").json()
    spec = json.loads((guarded.service.folder / "store" / "jobs" / job["id"] / "spec.json").read_text())
    assert spec["owner"] == "bob"
    assert "owner" not in job
