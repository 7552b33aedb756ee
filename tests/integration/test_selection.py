"""Jobs with a selection: the same bytes whatever the number of workers, and whatever dies."""

import io
import signal
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.running_service import DEADLINE_SECONDS, RunningService, metadata, wait_until
from tests.tiny import CLASSES, LABELLED
from worker.contracts.store.store import Store

GATED: dict[str, Any] = {"model": LABELLED, "seed": 31, "keep": 0.5, "copies": "drop", "distinct": 1}


@pytest.fixture
def one_worker(service: RunningService) -> Iterator[RunningService]:
    """The service, which has one worker again after the test."""
    yield service
    service.end_workers(signal.SIGTERM)
    service.start_worker()


def run_job(service: RunningService, n: int, **query: Any) -> tuple[dict[str, Any], bytes]:
    """Run a job of the labelled model: the job at its end, and its archive."""
    wanted = {name: value for name, value in (GATED | query).items() if value is not None}
    job = service.wait_done(service.generate(n, **wanted)["id"])
    assert job["state"] == "succeeded", job
    return job, service.download(job["id"])


def test_exactly_the_wanted_images_are_kept_and_each_is_that_of_its_address(service: RunningService) -> None:
    job, archive = run_job(service, 300, copies="keep", distinct=None)
    records = metadata(archive)
    assert Counter(record["label"] for record in records) == dict.fromkeys(CLASSES, 100)
    assert all(record["score"] >= 500 for record in records)
    assert 450 < job["tried"] < 750
    for record in records[::29]:
        address = f"/images/{LABELLED}/31/{record['index']}.png"
        answer = service.client.get(address, params={"class": record["label"]})
        assert answer.headers["ETag"] == f'"{record["sha256"]}"'
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        card = file.read("README.md").decode()
    assert f"keeps 300 of {job['tried']} candidates" in card
    assert "### Copies and near-duplicates" in card


def test_a_copy_of_a_training_image_is_not_kept(service: RunningService) -> None:
    _, everything = run_job(service, 30, keep=None, copies="keep", distinct=None)
    _, without = run_job(service, 30, keep=None, distinct=None)
    indices = {record["index"] for record in metadata(without)}
    assert {5, 6, 7} <= {record["index"] for record in metadata(everything)}
    assert not indices & {5, 6, 7}


@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_make_the_same_archive_as_one(one_worker: RunningService, workers: int) -> None:
    one, expected = run_job(one_worker, 300)
    one_worker.start_workers(*[{} for _ in range(workers - 1)])
    several, archive = run_job(one_worker, 300)
    assert one["id"] != several["id"]
    assert archive == expected


def test_a_killed_worker_changes_no_byte(one_worker: RunningService) -> None:
    _, expected = run_job(one_worker, 3000)
    one_worker.start_worker()
    job = one_worker.generate(3000, **GATED)
    wait_until(lambda: one_worker.job(job["id"])["images_done"] > 0)
    killed = one_worker.workers.pop(0)
    killed.kill()
    killed.wait(DEADLINE_SECONDS)
    assert one_worker.wait_done(job["id"])["state"] == "succeeded"
    assert one_worker.download(job["id"]) == expected


def test_an_archive_that_is_downloaded_while_it_grows_is_the_finished_one(service: RunningService) -> None:
    job = service.generate(3000, **GATED)
    with service.client.stream("GET", f"/jobs/{job['id']}/download") as response:
        assert "Content-Length" not in response.headers
        grown = response.read()
    assert grown == service.download(job["id"])
    part = service.client.get(f"/jobs/{job['id']}/download", headers={"Range": "bytes=1000-250000"})
    assert part.content == grown[1000:250001]


@pytest.mark.parametrize("selection", [GATED, {"keep": None, "copies": None, "distinct": None}])
def test_a_rebuilt_job_has_the_same_bytes(service: RunningService, selection: dict[str, Any]) -> None:
    job, expected = run_job(service, 300, **selection)
    damaged = next((service.folder / "store" / "jobs" / job["id"] / "shards").glob("00001.*.bin"))
    damaged.unlink()
    rebuilt = service.client.post(job["links"]["rebuild"]).json()
    assert rebuilt["id"] != job["id"]
    assert service.wait_done(rebuilt["id"])["state"] == "succeeded"
    assert service.download(rebuilt["id"]) == expected


def test_a_job_of_an_older_release_keeps_its_layout(service: RunningService) -> None:
    store = Store(str(service.folder / "store"))
    job, archive = run_job(service, 20, keep=None, copies=None, distinct=None)
    spec = store.jobs.spec(job["id"])
    assert spec is not None
    old = spec.model_copy(update={"id": "o" * 22, "archive_version": 2, "facts": None, "created": datetime.now(UTC)})
    new_fields = {"shares", "selection", "facts"}
    assert not new_fields & old.model_dump(mode="json").keys()
    store.jobs.create(old)  # the reconciler queues it
    assert service.wait_done(old.id)["state"] == "succeeded"
    archive_of_old = service.download(old.id)
    assert metadata(archive_of_old) == [
        {key: value for key, value in record.items() if key != "dhash"} for record in metadata(archive)
    ]
    with zipfile.ZipFile(io.BytesIO(archive_of_old)) as file:
        assert "## Similar images" not in file.read("README.md").decode()
