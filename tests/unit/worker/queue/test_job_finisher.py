import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from redis import Redis

from tests.unit.selections import commit_shard, selecting_spec
from tests.unit.worker.archive.archives import read
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.errors import YieldTooLowError
from worker.queue.heartbeat import Heartbeat
from worker.queue.job_finisher import JobFinisher

SPEC = selecting_spec(n=5, shard_images=100)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def finish(store: Store, redis: Redis) -> Iterator[Callable[[JobSpec], None]]:
    heartbeat = Heartbeat(redis, "worker", "cpu", SPEC.model.numerics, [])
    with ThreadPoolExecutor(1) as thread:
        finisher = JobFinisher(store, heartbeat, thread)
        yield lambda spec: finisher.succeed(Task.finalise(spec.id), spec)


def test_a_job_ends_when_its_choice_is_complete(store: Store, finish: Callable[[JobSpec], None]) -> None:
    store.jobs.create(SPEC)
    commit_shard(store, SPEC, 0, lambda index: index % 20 == 0)
    commit_shard(store, SPEC, 2, lambda index: index % 20 == 0)  # beyond the end
    finish(SPEC)
    state, plan = store.jobs.state(SPEC.id), store.archives.plan(SPEC.id)
    assert state is not None
    assert plan is not None
    assert state.outcome == "succeeded"
    assert len(plan.parts) == 2  # the five accepted images are neighbours; and the tail


def test_a_job_with_a_missing_shard_is_not_ended(store: Store, finish: Callable[[JobSpec], None]) -> None:
    store.jobs.create(SPEC)
    commit_shard(store, SPEC, 0, lambda index: index == 3)
    commit_shard(store, SPEC, 2, lambda index: index > 0)
    finish(SPEC)
    assert store.jobs.state(SPEC.id) is None


def test_a_job_that_has_tried_all_its_candidates_fails(store: Store, finish: Callable[[JobSpec], None]) -> None:
    store.jobs.create(SPEC)
    for shard in range(SPEC.shard_count):
        commit_shard(store, SPEC, shard, lambda index: index in (3, 555))
    assert store.choices.is_complete(SPEC, store.shards.committed(SPEC.id))  # no more shards may be rendered
    with pytest.raises(YieldTooLowError, match="only 2 of 5 images were kept out of 1040 candidates"):
        finish(SPEC)


@pytest.mark.parametrize("is_stopping", [False, True])
def test_the_checksum_is_stored_after_the_end_unless_the_worker_stops(
    store: Store, tmp_path: Path, redis: Redis, is_stopping: bool
) -> None:
    store.jobs.create(SPEC)
    commit_shard(store, SPEC, 0, lambda index: index % 20 == 0)
    heartbeat, stopping = Heartbeat(redis, "worker", "cpu", SPEC.model.numerics, []), Event()
    if is_stopping:
        stopping.set()
    with ThreadPoolExecutor(1) as thread:
        JobFinisher(store, heartbeat, thread, stopping).succeed(Task.finalise(SPEC.id), SPEC)
    plan, digest = store.archives.plan(SPEC.id), store.archives.digest(SPEC.id)
    assert plan is not None
    assert (digest is None) == is_stopping
    assert list(store.jobs.open_jobs()) == []  # the job is settled nevertheless
    if digest is not None:
        assert digest.sha256 == hashlib.sha256(read(tmp_path, plan)).hexdigest()
