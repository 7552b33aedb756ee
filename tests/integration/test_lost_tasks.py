"""Lost tasks: those of a killed worker are queued again, and those of a busy one never are."""

import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.running_service import RunningService, wait_until
from tests.tiny import PLAIN, save_checkpoint

LOADED_SECONDS = 6
CLIENTS = 8


@pytest.fixture(scope="module")
def watchful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that looks for lost tasks all the time, and whose tasks are short."""
    folder = tmp_path_factory.mktemp("watchful")
    save_checkpoint(folder / "models", PLAIN)
    service = RunningService(folder, IMAGEMILL_RECONCILE_EVERY_SECONDS="0.05", IMAGEMILL_SHARD_IMAGES="16")
    for _ in range(2):
        service.start_worker()
    yield service
    service.close()


def requeued(service: RunningService) -> float:
    found = re.search(r"^imagemill_tasks_requeued_total (\S+)$", service.client.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_a_loaded_server_takes_no_task_for_lost(watchful: RunningService) -> None:
    until = time.monotonic() + LOADED_SECONDS

    def ask_for_jobs(number: int) -> int:
        made = 0
        while time.monotonic() < until:
            n = 1500 if number == 0 else 1 + 40 * (made % 3)
            watchful.wait_done(watchful.generate(n)["id"])
            made += 1
        return made

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert min(pool.map(ask_for_jobs, range(CLIENTS))) > 0
    assert requeued(watchful) == 0
    assert "lost tasks were queued again" not in watchful.api_log.read_text()


def test_the_tasks_of_a_killed_worker_are_queued_again(watchful: RunningService) -> None:
    job = watchful.generate(3000, seed=1)
    watchful.wait_rendering(job["id"])
    watchful.end_workers(signal.SIGKILL)
    assert not watchful.job(job["id"])["done"]
    watchful.redis.delete("-", *watchful.redis.keys("imagemill:lease:*"))  # which end by themselves after 15 s
    wait_until(lambda: requeued(watchful) > 0)
    watchful.start_worker()
    assert watchful.wait_done(job["id"])["state"] == "succeeded"
    assert len(watchful.job_hashes(job["id"])) == 3000
