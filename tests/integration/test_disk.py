"""Room on the disk: what is accepted fits, what is cancelled gives its room back, and a full disk delays work."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running_service import RunningService, wait_until
from tests.integration.small_disk import fill, small_disk
from tests.integration.test_problems import problem
from tests.tiny import PLAIN, save_checkpoint

SMALL_DISK_MB = 24
FREE_MB = 2500
"""That jobs may use; what others do on the disk of the tests meanwhile is little beside it."""
N = 250_000
JOB_MB = (N * (3 * 32 * 32 + 1024) + 32768) / 1_000_000
"""1024 of them: two jobs fit, three do not."""


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[RunningService]:
    """The service, with room for two of its jobs."""
    save_checkpoint(tmp_path / "models", PLAIN)
    kept = shutil.disk_usage(tmp_path).free // 1_000_000 - FREE_MB
    if kept < 0:
        pytest.skip(f"NOT TESTED: the disk has less than {FREE_MB} MB for two jobs")
    service = RunningService(tmp_path, IMAGEMILL_MIN_FREE_MB=str(kept), IMAGEMILL_MAX_IMAGES=str(N))
    service.start_worker()
    yield service
    service.close()


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Iterator[RunningService]:
    """The service with its store on a disk of a few megabytes."""
    save_checkpoint(tmp_path / "models", PLAIN)
    with small_disk(tmp_path / "store", SMALL_DISK_MB) as is_mounted:
        if not is_mounted:
            pytest.skip("NOT TESTED: a disk that is really full, as this process may not mount one")
        service = RunningService(tmp_path, IMAGEMILL_MIN_FREE_MB="2")
        service.start_worker()
        yield service
        service.close()


def accepts(service: RunningService, n: int = N) -> int:
    return service.client.post("/generate", params={"n": n}).status_code


def stored(service: RunningService, job_id: str) -> set[str]:
    return {path.name for path in (service.folder / "store" / "jobs" / job_id).rglob("*") if path.is_file()}


def test_of_three_jobs_of_which_two_fit_the_third_is_refused_until_one_is_cancelled(cramped: RunningService) -> None:
    cramped.workers[0].kill()  # so that nothing is stored meanwhile
    first, second = cramped.generate(N), cramped.generate(N)
    refused = problem(cramped.client.post("/generate", params={"n": N}))
    assert (refused["status"], refused["code"], refused["retryable"]) == (507, "disk_low", True)
    assert f"this may need {JOB_MB:.1f} MB of the disk" in refused["detail"]
    assert f"{2 * JOB_MB:.1f} MB are reserved for open jobs" in refused["detail"]
    with cramped.another_api() as (another, _):
        assert another.post("/generate", params={"n": N}).status_code == 507
    cramped.redis.flushall()  # what Redis forgets, the store knows
    cramped.start_worker()
    cramped.workers[-1].kill()
    assert accepts(cramped) == 507
    assert cramped.client.post(second["links"]["cancel"]).is_success
    assert accepts(cramped) == 202
    assert not cramped.job(first["id"])["done"]


def test_a_job_that_has_ended_gives_back_what_it_did_not_need(cramped: RunningService) -> None:
    job = cramped.wait_done(cramped.generate(400)["id"])
    assert job["state"] == "succeeded"
    wait_until(lambda: cramped.redis.hgetall("imagemill:room") == {b"total": b"0"}, 20)


def test_a_cancelled_job_loses_its_images_at_once_and_makes_them_again_when_it_is_retried(
    service: RunningService,
) -> None:
    job = service.generate(20_000, seed=4)
    wait_until(lambda: service.client.get(f"/jobs/{job['id']}/images/0.png").is_success)
    image = service.client.get(f"/jobs/{job['id']}/images/0.png").content
    cancelled = service.client.post(job["links"]["cancel"]).json()
    assert (cancelled["state"], cancelled["expires"]) == ("cancelled", cancelled["finished"])
    names = stored(service, job["id"])
    assert {"spec.json", "state.json"} <= names
    assert len(names) <= 2 + 2 * 2  # a shard that was just being stored, and the one before
    gone = problem(service.client.get(f"/jobs/{job['id']}/images/0.png"))
    assert (gone["status"], gone["code"]) == (409, "job_cancelled")
    again = service.client.post(job["links"]["retry"]).json()
    assert service.wait_done(again["id"])["state"] == "succeeded"
    assert service.client.get(f"/jobs/{again['id']}/images/0.png").content == image


def test_a_full_disk_delays_a_job_and_is_told_about_in_a_few_lines(on_small_disk: RunningService) -> None:
    service = on_small_disk
    job = service.generate(3000, seed=5)
    service.wait_rendering(job["id"])
    filling = fill(service.folder / "store")
    assert accepts(service, 1) == 507
    not_ready = service.client.get("/readyz")
    assert not_ready.status_code == 503
    assert not_ready.json()["parts"]["disk"] != "ok"
    waiting = "lost tasks wait for free disk space"  # or the worker takes no tasks
    wait_until(lambda: waiting in service.api_log.read_text() or bool(service.redis.keys("imagemill:paused:*")), 40)
    assert not service.job(job["id"])["done"]
    filling.unlink()
    assert service.wait_done(job["id"])["state"] == "succeeded"
    assert len(service.job_hashes(job["id"])) == 3000
    said = [line for line in service.api_log.read_text().splitlines() if "reconciler" in line]
    assert len(said) <= 4, said
