from collections.abc import Iterable

import pytest
from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.jobs.worker_absence import MAX_MODEL_ABSENCE_SECONDS, WorkerAbsence
from tests.unit.conftest import spec_of
from worker.contracts.catalog import Numerics, WorkerEntry
from worker.contracts.queue.redis_keys import worker_key

SPEC = spec_of()


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def absence(redis: Redis, clock: Clock) -> WorkerAbsence:
    return WorkerAbsence(redis, ClusterState(redis), clock)


def come(redis: Redis, name: str, sha256s: Iterable[str], numerics: str = SPEC.model.numerics.name) -> None:
    kind = Numerics(name=numerics, batch_size=32)
    models, known = ("faces",), tuple(sha256s)
    entry = WorkerEntry(name=name, device="cpu", numerics=kind, models=models, sha256s=known, images_per_s=None)
    redis.set(worker_key(name), entry.model_dump_json())


def is_too_long(absence: WorkerAbsence) -> bool:
    errors = absence.find_errors([SPEC], SPEC.created)
    assert set(errors) <= {SPEC.id}
    return bool(errors)


def test_a_model_that_no_live_worker_has_is_waited_for_but_not_forever(
    absence: WorkerAbsence, redis: Redis, clock: Clock
) -> None:
    come(redis, "w", ["1" * 64])
    assert not is_too_long(absence)
    clock.seconds += MAX_MODEL_ABSENCE_SECONDS - 1
    assert not is_too_long(absence)
    clock.seconds += 1
    assert is_too_long(absence)


def test_the_time_begins_again_when_a_worker_has_had_the_model(
    absence: WorkerAbsence, redis: Redis, clock: Clock
) -> None:
    come(redis, "w", ["1" * 64])
    assert not is_too_long(absence)
    clock.seconds += MAX_MODEL_ABSENCE_SECONDS - 1
    come(redis, "holder", [SPEC.model.sha256])
    assert not is_too_long(absence)
    redis.delete(worker_key("holder"))
    clock.seconds += MAX_MODEL_ABSENCE_SECONDS - 1
    assert not is_too_long(absence)


def test_while_no_worker_of_its_kind_is_alive_a_job_waits_longer(
    absence: WorkerAbsence, redis: Redis, clock: Clock
) -> None:
    come(redis, "w", ["1" * 64], numerics="cuda-bfloat16")
    assert not is_too_long(absence)
    clock.seconds += 10 * MAX_MODEL_ABSENCE_SECONDS
    assert not is_too_long(absence)


def test_a_worker_of_an_older_version_may_have_any_model(absence: WorkerAbsence, redis: Redis, clock: Clock) -> None:
    come(redis, "w", [])
    assert not is_too_long(absence)
    clock.seconds += 10 * MAX_MODEL_ABSENCE_SECONDS
    assert not is_too_long(absence)
