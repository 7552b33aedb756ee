"""The same once more: idempotency keys, retries, rebuilt datasets, and a disk that has no room."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.running_service import RunningService, metadata
from tests.integration.test_problems import problem
from tests.tiny import LABELLED, PLAIN, save_checkpoint


def post(service: RunningService, key: str, **query: Any) -> httpx.Response:
    return service.client.post("/generate", params=query, headers={"Idempotency-Key": key})


def age(service: RunningService, job_id: str, name: str, field: str, by: timedelta) -> None:
    """Make a record of a job older."""
    path = service.folder / "store" / "jobs" / job_id / name
    record = json.loads(path.read_text())
    record[field] = (datetime.fromisoformat(record[field]) - by).isoformat()
    path.write_text(json.dumps(record))


def test_fifty_requests_with_one_key_are_one_job(service: RunningService) -> None:
    before = set((service.folder / "store" / "jobs").iterdir())
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: post(service, "a key", n=3), range(50)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    (job_id,) = {answer.json()["id"] for answer in answers}
    (made,) = set((service.folder / "store" / "jobs").iterdir()) - before
    assert made.name == job_id
    assert service.wait_done(job_id)["state"] == "succeeded"
    later = post(service, "a key", n=3)
    assert (later.status_code, later.json()["id"], later.json()["state"]) == (200, job_id, "succeeded")


def test_of_fifty_requests_that_want_one_key_for_other_things_one_is_the_job(idle_service: RunningService) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: post(idle_service, "a wanted key", n=n), range(1, 51)))
    (won,) = [answer.json() for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} == {202, 422}
    store = idle_service.folder / "store"
    spec = (store / "jobs" / won["id"] / "spec.json").read_bytes()
    assert json.loads(spec)["n"] == won["n"]
    assert (store / "open" / won["id"]).read_bytes() == spec  # which a restarted API goes by


def test_a_key_is_good_for_one_request_and_a_day(service: RunningService) -> None:
    first = post(service, "another key", n=3, seed=1).json()["id"]
    body = problem(post(service, "another key", n=4, seed=1))
    assert (body["status"], body["code"]) == (422, "idempotency_key_reused")
    assert post(service, "a third key", n=3, seed=1).json()["id"] != first
    age(service, service.wait_done(first)["id"], "spec.json", "created", timedelta(hours=25))
    second = post(service, "another key", n=4, seed=1)
    assert second.status_code in (200, 202)
    assert second.json()["id"] != first
    assert post(service, "another key", n=4, seed=1).json()["id"] == second.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_odd_key_is_refused(service: RunningService, key: str) -> None:
    assert problem(post(service, key, n=1))["status"] == 422


def test_a_key_outlives_an_outage_of_the_queue_server(service: RunningService) -> None:
    service.end_queue()
    assert problem(post(service, "in need", n=3))["retryable"]
    service.restart_queue()
    job = post(service, "in need", n=3).json()
    assert service.wait_done(job["id"])["state"] == "succeeded"


def test_a_cancelled_job_is_retried_in_a_new_one(idle_service: RunningService) -> None:
    job = idle_service.generate(5, seed=8)
    assert problem(idle_service.client.post(job["links"]["retry"]))["code"] == "job_running"
    idle_service.client.post(job["links"]["cancel"])
    assert problem(idle_service.client.post(job["links"]["rebuild"]))["code"] == "job_ended"
    idle_service.start_worker()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: idle_service.client.post(job["links"]["retry"]), range(10)))
    (again,) = {answer.json()["id"] for answer in answers}
    assert answers[0].headers["Location"] == f"/jobs/{again}"
    assert again != job["id"]
    assert idle_service.wait_done(again)["state"] == "succeeded"
    assert idle_service.job(job["id"])["state"] == "cancelled"
    assert idle_service.job_hashes(again) == idle_service.hashes(5, seed=8)


def test_a_dataset_that_was_removed_is_rebuilt_to_the_bit(service: RunningService) -> None:
    job = service.wait_done(service.generate(40, seed=9, ttl_hours=3)["id"])
    lived = datetime.fromisoformat(job["expires"]) - datetime.fromisoformat(job["finished"])
    assert lived == timedelta(hours=3)
    hashes = service.job_hashes(job["id"])
    assert service.client.post(job["links"]["rebuild"]).json()["id"] == job["id"]
    assert problem(service.client.post(job["links"]["retry"]))["code"] == "job_ended"
    for name, field in (("spec.json", "created"), ("state.json", "finished")):
        age(service, job["id"], name, field, timedelta(hours=4))
    shutil.rmtree(service.folder / "store" / "jobs" / job["id"] / "shards")
    for path in ("download", "images/0.png"):
        body = problem(service.client.get(f"/jobs/{job['id']}/{path}"))
        assert (body["status"], body["code"]) == (410, "job_expired")
        assert f"POST /jobs/{job['id']}/rebuild" in body["detail"]
    rebuilt = service.client.post(job["links"]["rebuild"])
    assert rebuilt.status_code in (200, 202)
    assert rebuilt.json()["id"] != job["id"]
    assert service.wait_done(rebuilt.json()["id"])["state"] == "succeeded"
    assert service.job_hashes(rebuilt.json()["id"]) == hashes
    assert service.client.post(job["links"]["rebuild"]).json()["id"] == rebuilt.json()["id"]


def test_a_dataset_of_the_first_layout_is_rebuilt_as_it_was(service: RunningService) -> None:
    """Jobs that were written down before there were other layouts say nothing of theirs."""
    job = service.wait_done(service.generate(4, seed=9, model=LABELLED, ttl_hours=3)["id"])
    assert all("label_id" in record for record in metadata(service.download(job["id"])))
    for name, field in (("spec.json", "created"), ("state.json", "finished")):
        age(service, job["id"], name, field, timedelta(hours=4))
    path = service.folder / "store" / "jobs" / job["id"] / "spec.json"
    spec = json.loads(path.read_text())
    assert spec.pop("layout") == 4
    del spec["facts"]
    path.write_text(json.dumps(spec))
    rebuilt = service.client.post(job["links"]["rebuild"]).json()["id"]
    assert service.wait_done(rebuilt)["state"] == "succeeded"
    assert not any({"label_id", "dhash"} & record.keys() for record in metadata(service.download(rebuilt)))


@pytest.mark.parametrize("hours", ["0", "-1", "169", "1.5"])
def test_images_are_kept_within_the_limit(service: RunningService, hours: str) -> None:
    body = problem(service.client.post("/generate", params={"n": 1, "ttl_hours": hours}))
    assert body["status"] == 422
    assert "ttl_hours" in body["detail"]


def test_a_job_that_may_fill_the_disk_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "models", PLAIN)
    free = shutil.disk_usage(tmp_path).free
    service = RunningService(tmp_path, IMAGEMILL_MIN_FREE_MB=str(free // 1_000_000 - 50))
    try:
        service.start_worker()
        body = problem(service.client.post("/generate", params={"n": 50_000}))
        assert (body["status"], body["code"], body["retryable"]) == (507, "disk_low", True)
        assert len(service.hashes(10)) == 10
    finally:
        service.close()
