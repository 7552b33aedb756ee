"""Clocks that are wrong: no accepted job stands still, whatever they said when it was accepted."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.running_service import RunningService, wait_until
from tests.tiny import PLAIN, save_checkpoint

DAY = timedelta(days=1)
AHEAD = "+1d"


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[RunningService]:
    save_checkpoint(tmp_path / "models", PLAIN)
    service = RunningService(tmp_path)
    yield service
    service.close()


@pytest.fixture(scope="module")
def a_day_ahead() -> dict[str, str]:
    """What makes a process live a day ahead: the environment that Debian's faketime sets."""
    faketime = shutil.which("faketime")
    if faketime is None:
        pytest.skip(
            "NOT TESTED: a service whose clock is put right, as there is no faketime (apt-get install faketime)"
        )
    said = subprocess.check_output([faketime, "-f", AHEAD, "env"], text=True)
    names = ("LD_PRELOAD", "FAKETIME")
    found = dict(line.split("=", 1) for line in said.splitlines() if line.startswith(names))
    return {**found, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def accept_in_the_future(service: RunningService, by: timedelta) -> str:
    """Accept a job, as if by a clock that was ahead, and lose the queue server's data."""
    job_id = str(service.generate(300, seed=3)["id"])
    store = service.folder / "store"
    for path in (store / "jobs" / job_id / "spec.json", store / "open" / job_id):
        record = json.loads(path.read_text())
        record["created"] = (datetime.now(UTC) + by).isoformat()
        path.write_text(json.dumps(record))
        os.utime(path, times=(path.stat().st_mtime + by.total_seconds(),) * 2)
    service.redis.delete(*service.redis.keys("rq:*"))
    return job_id


@pytest.mark.parametrize("by", [DAY, 3650 * DAY, -3650 * DAY], ids=["a day", "years", "years behind"])
def test_a_job_that_was_accepted_by_a_wrong_clock_goes_on(idle_service: RunningService, by: timedelta) -> None:
    job_id = accept_in_the_future(idle_service, by)
    idle_service.start_worker()
    wait_until(lambda: idle_service.job(job_id)["done"], 20)
    job = idle_service.job(job_id)
    assert (job["state"], job["images_done"]) == ("succeeded", 300)
    assert len(idle_service.job_hashes(job_id)) == 300
    assert datetime.fromisoformat(job["expires"]) >= datetime.fromisoformat(job["created"])
    # In the list of jobs it would stand before the new jobs of other tests.
    wait_until(lambda: not (idle_service.folder / "store" / "open" / job_id).exists())
    for marker in (idle_service.folder / "store" / "listed").rglob(f"*.{job_id}"):
        marker.unlink()


def test_what_dead_processes_hold_for_a_day_holds_nobody_up(idle_service: RunningService) -> None:
    """The queue server lived on while its clock was set back, and all else died."""
    job_id = str(idle_service.generate(300, seed=3)["id"])
    redis, lease = idle_service.redis, f"imagemill:lease:{job_id}-0"
    redis.delete(*redis.keys("rq:*"))
    for key in (lease, "imagemill:reconciler", "imagemill:worker:dead"):
        redis.set(key, "dead", ex=DAY)
    idle_service.restart_api()
    wait_until(lambda: max(map(redis.ttl, (lease, "imagemill:reconciler", "imagemill:worker:dead"))) <= 30)
    redis.delete(lease, "imagemill:worker:dead")  # which end by themselves soon
    idle_service.start_worker()
    assert idle_service.wait_done(job_id)["state"] == "succeeded"


def test_a_service_whose_clock_is_put_right_goes_on_with_its_jobs(tmp_path: Path, a_day_ahead: dict[str, str]) -> None:
    save_checkpoint(tmp_path / "models", PLAIN)
    before = RunningService(tmp_path, **a_day_ahead)
    try:
        before.start_worker()
        job_id = str(before.generate(20_000, seed=3)["id"])
        created = datetime.fromisoformat(before.job(job_id)["created"])
        assert created - datetime.now(UTC) > DAY / 2
        before.wait_rendering(job_id)
    finally:
        before.close()  # kills all of it
    after = RunningService(tmp_path)
    try:
        after.start_worker()
        assert after.wait_done(job_id)["state"] == "succeeded"
        assert after.job_hashes(job_id)[:9] == after.hashes(9, seed=3)
    finally:
        after.close()


def test_a_worker_whose_clock_is_wrong_serves_as_well(own_service: RunningService, a_day_ahead: dict[str, str]) -> None:
    own_service.start_worker(**a_day_ahead)
    job = own_service.wait_done(own_service.generate(300, seed=3, ttl_hours=1)["id"])
    assert len(own_service.job_hashes(job["id"])) == 300
    wait_until(lambda: not list((own_service.folder / "store" / "open").iterdir()), 20)
