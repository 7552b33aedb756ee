"""The client's requests through a proxy that loses answers, or that serves the API under a prefix."""

import json
import zipfile
from pathlib import Path

import httpx
import pytest

from app.client import Client
from tests.command import imagemill
from tests.integration.relay import Relay
from tests.integration.running_service import MAX_IMAGES, RunningService
from tests.tiny import picture

OUT = "out.zip"


def jobs_of(service: RunningService) -> set[str]:
    return {path.name for path in (service.folder / "store" / "jobs").glob("*")}


def test_a_request_whose_answer_is_lost_is_one_job(service: RunningService, tmp_path: Path) -> None:
    before = jobs_of(service)
    with Relay(service.url) as relay:
        relay.lose = 2
        done = imagemill("generate", "-n", "20", "-o", OUT, "--server", relay.url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "retrying for 30 s" in done.stderr
    (made,) = jobs_of(service) - before
    assert (tmp_path / OUT).read_bytes() == service.download(made)
    keys = relay.keys("POST /generate")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0]


def test_a_person_who_repeats_a_command_gets_another_job(service: RunningService, tmp_path: Path) -> None:
    before = jobs_of(service)
    with Relay(service.url) as relay:
        for out in ("a.zip", "b.zip"):
            arguments = ("generate", "-n", "3", "--seed", "1", "-o", out, "--server", relay.url)
            assert imagemill(*arguments, cwd=tmp_path).returncode == 0
    assert len(jobs_of(service) - before) == 2
    first, second = relay.keys("POST /generate")
    assert None not in (first, second)
    assert first != second


def test_a_picture_whose_answer_is_lost_is_sent_again_and_is_one_style(service: RunningService, tmp_path: Path) -> None:
    path = tmp_path / "painting.png"
    picture(77).save(path)
    with Relay(service.url) as relay, Client(relay.url) as client:
        relay.lose = 1
        style = client.upload_style(path).id
    listed = [found["id"] for found in service.client.get("/styles").json()["styles"]]
    assert listed.count(style) == 1
    assert [line for line, _ in relay.requests] == ["POST /styles"] * 2


@pytest.mark.parametrize("prefix", ["/im", "/a/b", "/jobs-of-mine"])
def test_a_service_behind_a_prefix_is_used_like_any_other(service: RunningService, tmp_path: Path, prefix: str) -> None:
    with Relay(service.url, prefix) as relay:
        arguments = ("generate", "-n", "300", "--seed", "3", "-o", OUT, "--json", "--server", relay.url)
        done = imagemill(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        job = json.loads(done.stdout)
        assert httpx.get(job["links"]["download"]).content == (tmp_path / OUT).read_bytes()
        assert httpx.get(job["links"]["image"].format(index=7)).is_success
    with zipfile.ZipFile(tmp_path / OUT) as archive:
        assert archive.testzip() is None


def test_a_retry_whose_answer_is_lost_is_one_job_without_a_key(service: RunningService) -> None:
    job = service.generate(MAX_IMAGES)
    assert service.client.post(job["links"]["cancel"]).is_success
    before = jobs_of(service)
    with Relay(service.url) as relay:
        relay.lose = 1
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{relay.url}{job['links']['retry']}", timeout=30)
        again = httpx.post(f"{relay.url}{job['links']['retry']}", timeout=30).json()
    service.client.post(again["links"]["cancel"])
    assert jobs_of(service) - before == {again["id"]}
