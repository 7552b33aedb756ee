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
    house: RunningService, job_id: str, found: list[tuple[str, dict[str, Any]]] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List the events of a job. `found` is filled as they come."""
    found = [] if found is None else found
    with house.client.stream("GET", f"/jobs/{job_id}/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_a_request_that_prefers_to_wait_is_answered_with_the_finished_job(house: RunningService) -> None:
    response = house.client.post("/generate", params={"n": 3}, headers={"Prefer": "wait=30"})
    assert (response.status_code, response.json()["state"]) == (200, "succeeded")
    assert response.headers["Preference-Applied"] == "wait=30"
    assert response.headers["Location"] == response.json()["links"]["self"]


def test_an_answer_does_not_wait_longer_than_it_may(idle_house: RunningService) -> None:
    job = idle_house.generate(1)
    began = time.monotonic()
    response = idle_house.client.get(f"/jobs/{job['id']}", headers={"Prefer": "wait=1"})
    assert response.json()["state"] == "queued"
    assert 1 <= time.monotonic() - began < 3
    idle_house.client.post(job["links"]["cancel"])


def test_a_waiting_request_hears_of_a_cancelled_job_at_once(house: RunningService) -> None:
    job = house.generate(LONG)
    with house.client.stream("GET", f"/jobs/{job['id']}/events") as waiting:
        house.client.post(job["links"]["cancel"])
        began = time.monotonic()
        assert '"state": "cancelled"' in waiting.read().decode().replace('":"', '": "')
    assert time.monotonic() - began < 5


def test_events_tell_of_progress_and_of_the_end(house: RunningService) -> None:
    told = events(house, house.generate(4000)["id"])
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["end"]
    done = [job["images_done"] for _, job in told]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert (told[-1][1]["state"], done[-1]) == ("succeeded", 4000)


def test_events_of_a_job_that_has_ended_are_its_end(house: RunningService) -> None:
    job = house.wait_done(house.generate(1)["id"])
    assert events(house, job["id"]) == [("end", job)]


def test_events_go_on_after_an_outage_of_the_queue_server(idle_house: RunningService) -> None:
    job, seen = idle_house.generate(1), list[tuple[str, dict[str, Any]]]()
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(events, idle_house, job["id"], seen)
        wait_until(lambda: bool(seen))
        said = idle_house.api_log.read_text().count(job["id"])
        idle_house.end_queue()
        wait_until(lambda: idle_house.api_log.read_text().count(job["id"]) > said)  # the stream has met the outage
        assert httpx.get(f"{idle_house.url}/healthz", timeout=1).status_code == 200
        idle_house.start_queue()
        idle_house.start_worker()
        assert told.result()[-1][0] == "end"


def test_events_of_an_unknown_job_are_a_problem(house: RunningService) -> None:
    response = house.client.get(f"/jobs/{'x' * 22}/events")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_job")


def test_an_archive_grows_while_its_job_is_rendered(house: RunningService) -> None:
    job = house.generate(LONG, seed=5)
    with house.client.stream("GET", job["links"]["download"]) as response:
        assert response.status_code == 200
        assert "Content-Length" not in response.headers
        assert "Content-Length" not in house.client.head(job["links"]["download"]).headers
        pieces = response.iter_bytes()
        first = next(pieces)
        assert first.startswith(b"PK\3\4")
        assert not house.job(job["id"])["done"]
        grown = first + b"".join(pieces)
    assert house.job(job["id"])["state"] == "succeeded"
    assert grown == house.download(job["id"])
    assert len(metadata(grown)) == LONG


def test_the_first_bytes_come_within_100_ms_of_the_first_shard(house: RunningService) -> None:
    job = house.generate(LONG)
    with house.client.stream("GET", job["links"]["download"]) as response:
        next(response.iter_bytes())
    now = time.time()
    committed = (house.folder / "store" / "jobs" / job["id"] / "shards" / "00000.json").stat().st_mtime
    house.client.post(job["links"]["cancel"])
    assert now - committed < 0.1


def test_an_archive_of_a_cancelled_job_breaks_off(house: RunningService) -> None:
    job = house.generate(LONG)
    with house.client.stream("GET", job["links"]["download"]) as response:
        pieces = response.iter_bytes()
        next(pieces)
        house.client.post(job["links"]["cancel"])
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_no_proxy_is_to_hold_back_what_comes_in_pieces(idle_house: RunningService) -> None:
    """nginx goes by X-Accel-Buffering, others by no-transform, and Caddy's `encode gzip` by an encoding alone."""
    links = idle_house.generate(1)["links"]
    with idle_house.client.stream("GET", f"{links['self']}/events", headers={"Accept-Encoding": "gzip"}) as events:
        assert events.headers.get_list("Cache-Control") == ["no-cache, no-transform"]
        assert events.headers["Content-Encoding"] == "identity"
        assert events.headers["X-Accel-Buffering"] == "no"
    with idle_house.client.stream("GET", links["download"]) as growing:
        assert "no-transform" in growing.headers["Cache-Control"]
        assert growing.headers["X-Accel-Buffering"] == "no"
