"""What is told to those who watch: figures, readiness, request ids and logs."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rq.utils import as_text

from tests.integration.running_service import Process, RunningService, wait_until
from tests.tiny import LABELLED, PLAIN
from worker.contracts.queue.counters import COUNTERS_KEY
from worker.contracts.queue.redis_keys import attempts_key, lease_key

N = 20_000
"""Many shards, so that a job is certainly at work when its worker is stopped."""
Figures = Mapping[str, float]
"""By name and labels, as they are written: `imagemill_jobs_ended_total{outcome="failed"}`."""

REJECTED = "imagemill_shards_rejected_total"
CRASHED = "imagemill_attempts_crashed_total"
SUCCEEDED = 'imagemill_jobs_ended_total{outcome="succeeded"}'
CANCELLED = 'imagemill_jobs_ended_total{outcome="cancelled"}'


def images(model: str) -> str:
    return f'imagemill_images_rendered_total{{model="{model}",style_mode="none"}}'


def seconds(stage: str) -> str:
    return f'imagemill_stage_seconds_total{{stage="{stage}",style_mode="none"}}'


def figures(client: httpx.Client) -> Figures:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            key = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert key not in found
            found[key] = sample.value
    return found


class Watch:
    """How far figures have moved since there was peace."""

    def __init__(self, service: RunningService) -> None:
        self._client = service.client
        wait_until(lambda: figures(self._client)["imagemill_open_jobs"] == 0)
        self._before = figures(self._client)

    def moved(self, name: str) -> float:
        return figures(self._client).get(name, 0) - self._before.get(name, 0)


@pytest.fixture
def watch(service: RunningService) -> Watch:
    """Figures of a service in which nothing goes on, and whose counters begin at nothing."""
    for job in (service.folder / "store" / "open").iterdir():
        service.client.post(f"/jobs/{job.name}/cancel")
    wait_until(lambda: not any((service.folder / "store" / "open").iterdir()))
    wait_until(lambda: not service.redis.keys(lease_key("*")))  # what was counted goes with them
    service.redis.delete(COUNTERS_KEY)
    return Watch(service)


def frozen_at_work(service: RunningService, worker: Process, job_id: str) -> set[int]:
    """Stop a worker where its lone job has shards begun and not committed, and tell which."""
    shards = service.folder / "store" / "jobs" / job_id / "shards"
    while True:
        worker.send_signal(signal.SIGSTOP)
        wait_until(lambda: " T " in Path(f"/proc/{worker.pid}/stat").read_text())
        begun = {int(as_text(key).rpartition("-")[2]) for key in service.redis.hkeys(attempts_key(job_id))}
        open_ones = {shard for shard in begun if not (shards / f"{shard:05d}.json").exists()}
        if open_ones:
            break
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    for shard in open_ones:
        service.redis.delete(lease_key(f"{job_id}-{shard}"))  # in place of the 15 s after which they end
    return open_ones


def test_counters_move_by_what_a_job_did(watch: Watch, service: RunningService) -> None:
    began = time.monotonic()
    assert service.wait_done(service.generate(300)["id"])["state"] == "succeeded"
    assert service.wait_done(service.generate(7, model=LABELLED)["id"])["state"] == "succeeded"
    wait_until(lambda: watch.moved(SUCCEEDED) == 2)
    wait_until(lambda: watch.moved("imagemill_open_jobs") == 0)
    assert (watch.moved(images(PLAIN)), watch.moved(images(LABELLED))) == (300, 7)
    lasted = time.monotonic() - began
    for stage in ("rendering", "storing", "closing"):
        assert 0 < watch.moved(seconds(stage)) < lasted
    assert watch.moved('imagemill_jobs_ended_total{outcome="failed"}') == 0
    assert watch.moved(REJECTED) == watch.moved(CRASHED) == 0


def test_a_job_in_line_is_seen_to_wait(idle_service: RunningService) -> None:
    first, second = idle_service.generate(1), idle_service.generate(N)
    found = figures(idle_service.client)
    numerics = first_numerics(idle_service)
    assert found[f'imagemill_queue_tasks{{jobs="short",numerics="{numerics}"}}'] >= 1
    assert found[f'imagemill_queue_tasks{{jobs="long",numerics="{numerics}"}}'] >= 1
    assert found["imagemill_open_jobs"] >= 2
    assert not any(name.startswith("imagemill_workers") for name in found)
    age = found["imagemill_oldest_open_job_age_seconds"]
    wait_until(lambda: figures(idle_service.client)["imagemill_oldest_open_job_age_seconds"] > age + 0.5)
    for job in (first, second):
        idle_service.client.post(job["links"]["cancel"])
    assert figures(idle_service.client)[CANCELLED] == found[CANCELLED] + 2
    idle_service.start_worker()
    assert figures(idle_service.client)[f'imagemill_workers{{device="cpu",numerics="{numerics}"}}'] == 1


def first_numerics(service: RunningService) -> str:
    return str(service.client.get("/models").json()["models"][0]["numerics"]["name"])


def test_an_attempt_that_ended_with_its_worker_is_counted(watch: Watch, idle_service: RunningService) -> None:
    worker = idle_service.start_worker()
    job = idle_service.generate(N)
    idle_service.wait_rendering(job["id"])
    open_ones = frozen_at_work(idle_service, worker, job["id"])
    idle_service.end_workers(signal.SIGKILL)
    idle_service.start_worker()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"
    wait_until(lambda: watch.moved(SUCCEEDED) == 1)
    assert watch.moved(CRASHED) == len(open_ones)
    assert watch.moved("imagemill_tasks_requeued_total") >= len(open_ones)


def test_a_shard_that_came_second_is_counted_and_its_images_are_not(watch: Watch, idle_service: RunningService) -> None:
    held_up = idle_service.start_worker()
    job = idle_service.generate(N)
    idle_service.wait_rendering(job["id"])
    open_ones = frozen_at_work(idle_service, held_up, job["id"])
    idle_service.start_worker()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"
    assert watch.moved(REJECTED) == 0
    held_up.send_signal(signal.SIGCONT)
    wait_until(lambda: watch.moved(REJECTED) == len(open_ones))
    assert watch.moved(images(PLAIN)) == N


def test_a_task_that_the_store_was_in_the_way_of_is_counted(watch: Watch, idle_service: RunningService) -> None:
    job = idle_service.generate(3)
    blocked = idle_service.folder / "store" / "jobs" / job["id"] / "shards"
    blocked.write_bytes(b"a file where a folder must be")
    idle_service.start_worker()
    wait_until(lambda: watch.moved("imagemill_tasks_dropped_total") > 0)
    blocked.unlink()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"


def test_the_store_shows_how_much_is_free(service: RunningService) -> None:
    found = figures(service.client)
    assert found["imagemill_store_up"] == found["imagemill_redis_up"] == 1
    assert found["imagemill_store_free_bytes"] > 0
    assert found["process_resident_memory_bytes"] > 0


def test_two_api_processes_tell_the_same(service: RunningService) -> None:
    job = service.wait_done(service.generate(20)["id"])
    assert job["state"] == "succeeded"
    wait_until(lambda: figures(service.client).get(images(PLAIN), 0) >= 20)

    def ours(client: httpx.Client) -> Figures:
        found = figures(client)
        return {name: value for name, value in found.items() if name.startswith("imagemill_") and "free" not in name}

    with service.another_api() as (client, _):
        wait_until(lambda: ours(client) == ours(service.client))


@contextmanager
def without_queue(service: RunningService, *, hangs: bool) -> Iterator[None]:
    if hangs:
        service.queue.send_signal(signal.SIGSTOP)
    else:
        service.end_queue()
    try:
        yield
    finally:
        if hangs:
            service.queue.send_signal(signal.SIGCONT)
        else:
            service.restart_queue()


@pytest.mark.parametrize("hangs", [False, True], ids=["dead", "hanging"])
def test_figures_come_at_once_though_the_queue_server_is_away(service: RunningService, hangs: bool) -> None:
    with without_queue(service, hangs=hangs):
        assert min(timed(lambda: figures(service.client)) for _ in range(3)) < 1
        found = figures(service.client)
        assert (found["imagemill_redis_up"], found["imagemill_store_up"]) == (0, 1)
        assert "imagemill_open_jobs" in found
        assert SUCCEEDED not in found
        body = not_ready(service.client)
        assert body["code"] == "queue_unavailable"
        assert (body["parts"]["store"], body["parts"]["disk"]) == ("ok", "ok")
        assert "cannot be reached" in body["parts"]["queue"]
        assert "unknown" in body["parts"]["worker"]
    wait_until(lambda: service.client.get("/readyz").status_code == 200)
    assert figures(service.client)["imagemill_redis_up"] == 1


def timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def not_ready(client: httpx.Client) -> dict[str, Any]:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["retryable"]
    return dict(response.json())


def test_a_store_that_cannot_be_written_is_told_apart(service: RunningService) -> None:
    probes = service.folder / "store" / "probe"
    service.client.get("/readyz")
    probes.rmdir()
    probes.write_bytes(b"a file where a folder must be")
    body = not_ready(service.client)
    probes.unlink()
    assert body["code"] == "store_unavailable"
    assert [part for part, said in body["parts"].items() if said != "ok"] == ["store"]
    assert body["detail"] == "the artifact store cannot be written"
    assert service.client.get("/readyz").status_code == 200


def test_a_store_that_is_gone_is_told_and_not_made_anew(service: RunningService) -> None:
    store, aside = service.folder / "store", service.folder / "aside"
    store.rename(aside)
    try:
        body = not_ready(service.client)
        found = figures(service.client)
        assert not store.exists()
    finally:
        aside.rename(store)
    assert [part for part, said in body["parts"].items() if said != "ok"] == ["store", "disk"]
    assert (found["imagemill_store_up"], found["imagemill_redis_up"]) == (0, 1)
    assert service.client.get("/readyz").status_code == 200


def test_a_disk_with_too_little_room_is_told_apart(service: RunningService) -> None:
    with service.another_api(IMAGEMILL_MIN_FREE_MB=str(10**12)) as (client, _):
        body = not_ready(client)
    assert body["code"] == "disk_full"
    assert re.fullmatch(r"\d+ MB are free on the disk of the artifact store, less than 1000000000000", body["detail"])
    assert [part for part, said in body["parts"].items() if said != "ok"] == ["disk"]


def test_the_parts_are_documented(service: RunningService) -> None:
    schema = service.client.get("/openapi.json").json()
    answers = schema["paths"]["/readyz"]["get"]["responses"]
    assert "Parts" in schema["components"]["schemas"]
    assert "#/components/schemas/Parts" in json.dumps(answers["503"]["content"]["application/problem+json"])
    assert "text/plain" in schema["paths"]["/metrics"]["get"]["responses"]["200"]["content"]


def test_a_request_keeps_the_id_that_it_came_with(service: RunningService) -> None:
    for path in ("/healthz", "/jobs/none", "/nowhere"):
        response = service.client.get(path, headers={"X-Request-Id": "curl-1.2_3"})
        assert response.headers.get_list("X-Request-Id") == ["curl-1.2_3"]


@pytest.mark.parametrize("sent", [None, "", "a b", 'a"b', "x" * 65, "é"])
def test_a_request_without_a_sane_id_gets_one_of_its_own(service: RunningService, sent: str | None) -> None:
    headers = {} if sent is None else {b"X-Request-Id": sent.encode()}
    made = [service.client.get("/healthz", headers=headers).headers["X-Request-Id"] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)
    assert made[0] != made[1]


def lines(log: Path, start: int = 0) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.read_text()[start:].splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in found)
    return found


def test_logs_are_json_line_by_line_with_job_and_request(idle_service: RunningService) -> None:
    log = idle_service.folder / f"worker-{len(idle_service.workers)}.log"
    start = len(log.read_text()) if log.exists() else 0
    idle_service.start_worker(IMAGEMILL_LOG_FORMAT="json")
    with idle_service.another_api(IMAGEMILL_LOG_FORMAT="json") as (client, api_log):
        headers = {"X-Request-Id": "order-1"}
        job = client.post("/generate", params={"n": 2, "seed": 1}, headers=headers).json()
        assert idle_service.wait_done(job["id"])["state"] == "succeeded"
        assert client.get("/models").status_code == 200
        accepted, *_ = [line for line in lines(api_log) if line["message"].startswith("job accepted")]
        asked = [line for line in lines(api_log) if line["logger"] == "uvicorn.access"]
    assert (accepted["job_id"], accepted["request_id"]) == (job["id"], "order-1")
    assert (accepted["n"], accepted["level"]) == (2, "INFO")
    assert asked[0]["request_id"] == "order-1"
    assert asked[-1]["request_id"] != "order-1"
    wait_until(lambda: any(line["message"].startswith("job succeeded") for line in lines(log, start)))
    (ended,) = [line for line in lines(log, start) if line["message"].startswith("job succeeded")]
    assert (ended["job_id"], ended["images"]) == (job["id"], 2)
    assert "request_id" not in ended


def test_logs_of_text_carry_the_request_too(service: RunningService) -> None:
    said = service.client.post("/generate", params={"n": 1}, headers={"X-Request-Id": "text-1"}).json()
    wait_until(lambda: "request_id=text-1" in service.api_log.read_text())
    (line,) = [line for line in service.api_log.read_text().splitlines() if f"accepted job_id={said['id']}" in line]
    assert line.endswith(" request_id=text-1")
