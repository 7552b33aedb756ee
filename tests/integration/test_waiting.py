"""Nobody has to poll: answers that wait, events that come, archives that grow."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.integration.running_service import RunningService, metadata, wait_until

LONG = 20_000
"""Images enough for a job that certainly still runs when somebody looks."""


def events(
    service: RunningService, job_id: str, found: list[tuple[str, dict[str, Any]]] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List the events of a job. `found` is filled as they come."""
    found = [] if found is None else found
    with service.client.stream("GET", f"/jobs/{job_id}/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_a_request_that_prefers_to_wait_is_answered_with_the_finished_job(service: RunningService) -> None:
    response = service.client.post("/generate", params={"n": 3}, headers={"Prefer": "wait=30"})
    assert (response.status_code, response.json()["state"]) == (200, "succeeded")
    assert response.headers["Preference-Applied"] == "wait=30"
    assert response.headers["Location"] == response.json()["links"]["self"]


def test_an_answer_does_not_wait_longer_than_it_may(idle_service: RunningService) -> None:
    job = idle_service.generate(1)
    began = time.monotonic()
    response = idle_service.client.get(f"/jobs/{job['id']}", headers={"Prefer": "wait=1"})
    assert response.json()["state"] == "queued"
    assert 1 <= time.monotonic() - began < 3
    idle_service.client.post(job["links"]["cancel"])


def test_a_waiting_request_hears_of_a_cancelled_job_at_once(service: RunningService) -> None:
    job = service.generate(LONG)
    with service.client.stream("GET", f"/jobs/{job['id']}/events") as waiting:
        service.client.post(job["links"]["cancel"])
        began = time.monotonic()
        assert '"state": "cancelled"' in waiting.read().decode().replace('":"', '": "')
    assert time.monotonic() - began < 5


def test_events_tell_of_progress_and_of_the_end(service: RunningService) -> None:
    told = events(service, service.generate(4000)["id"])
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["end"]
    done = [job["images_done"] for _, job in told]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert (told[-1][1]["state"], done[-1]) == ("succeeded", 4000)


def test_events_of_a_job_that_has_ended_are_its_end(service: RunningService) -> None:
    job = service.wait_done(service.generate(1)["id"])
    assert events(service, job["id"]) == [("end", job)]


def test_events_go_on_after_an_outage_of_the_queue_server(idle_service: RunningService) -> None:
    job, seen = idle_service.generate(1), list[tuple[str, dict[str, Any]]]()
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(events, idle_service, job["id"], seen)
        wait_until(lambda: bool(seen))
        said = idle_service.api_log.read_text().count(job["id"])
        idle_service.end_queue()
        wait_until(lambda: idle_service.api_log.read_text().count(job["id"]) > said)  # the stream has met the outage
        assert httpx.get(f"{idle_service.url}/healthz", timeout=1).status_code == 200
        idle_service.start_queue()
        idle_service.start_worker()
        assert told.result()[-1][0] == "end"


def test_events_of_an_unknown_job_are_a_problem(service: RunningService) -> None:
    response = service.client.get(f"/jobs/{'x' * 22}/events")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_job")


def test_an_archive_grows_while_its_job_is_rendered(service: RunningService) -> None:
    job = service.generate(LONG, seed=5)
    with service.client.stream("GET", job["links"]["download"]) as response:
        assert response.status_code == 200
        assert "Content-Length" not in response.headers
        assert "Content-Length" not in service.client.head(job["links"]["download"]).headers
        pieces = response.iter_bytes()
        first = next(pieces)
        assert first.startswith(b"PK\3\4")
        assert not service.job(job["id"])["done"]
        grown = first + b"".join(pieces)
    assert service.job(job["id"])["state"] == "succeeded"
    assert grown == service.download(job["id"])
    assert len(metadata(grown)) == LONG


def test_the_first_bytes_come_within_100_ms_of_the_first_shard(service: RunningService) -> None:
    job = service.generate(LONG)
    with service.client.stream("GET", job["links"]["download"]) as response:
        next(response.iter_bytes())
    now = time.time()
    committed = (service.folder / "store" / "jobs" / job["id"] / "shards" / "00000.json").stat().st_mtime
    service.client.post(job["links"]["cancel"])
    assert now - committed < 0.1


def test_an_archive_of_a_cancelled_job_breaks_off(service: RunningService) -> None:
    job = service.generate(LONG)
    with service.client.stream("GET", job["links"]["download"]) as response:
        pieces = response.iter_bytes()
        next(pieces)
        service.client.post(job["links"]["cancel"])
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_no_proxy_is_to_hold_back_what_comes_in_pieces(idle_service: RunningService) -> None:
    """nginx goes by X-Accel-Buffering, others by no-transform, and Caddy's `encode gzip` by an encoding alone."""
    links = idle_service.generate(1)["links"]
    with idle_service.client.stream("GET", f"{links['self']}/events", headers={"Accept-Encoding": "gzip"}) as events:
        assert events.headers.get_list("Cache-Control") == ["no-cache, no-transform"]
        assert events.headers["Content-Encoding"] == "identity"
        assert events.headers["X-Accel-Buffering"] == "no"
    with idle_service.client.stream("GET", links["download"]) as growing:
        assert "no-transform" in growing.headers["Cache-Control"]
        assert growing.headers["X-Accel-Buffering"] == "no"
