import pytest
from redis import Redis

from tests.unit.conftest import spec_of
from worker.contracts.catalog import Numerics, PausedWorker, WorkerEntry
from worker.contracts.queue import paused_key, worker_key
from worker.peers import Peers

SPEC = spec_of()
KIND = SPEC.model.numerics


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def peers(redis: Redis, clock: Clock) -> Peers:
    come(redis, "me", KIND)
    return Peers(redis, "me", KIND.name, ["1" * 64], clock)


def come(redis: Redis, name: str, numerics: Numerics) -> None:
    entry = WorkerEntry(name=name, device="cpu", numerics=numerics, models=(), images_per_s=None)
    redis.set(worker_key(name), entry.model_dump_json())


def test_a_worker_that_is_alone_leaves_nothing_to_others(peers: Peers, redis: Redis, clock: Clock) -> None:
    clock.seconds = 16
    come(redis, "stranger", Numerics(name="cuda-bfloat16", batch_size=256))
    redis.set(worker_key("broken"), "{")
    assert not peers.is_theirs(SPEC)


def test_what_a_worker_lacks_is_left_to_the_others_also_when_they_have_just_gone(peers: Peers, redis: Redis) -> None:
    come(redis, "other", KIND)
    assert peers.is_theirs(SPEC)
    redis.delete(worker_key("other"))
    assert peers.is_theirs(SPEC)


def test_a_worker_that_has_just_started_waits_for_those_that_start_with_it(
    peers: Peers, redis: Redis, clock: Clock
) -> None:
    assert peers.is_theirs(SPEC)
    clock.seconds = 14
    come(redis, "other", KIND)
    assert peers.is_theirs(SPEC)
    clock.seconds = 100
    assert peers.is_theirs(SPEC)


def test_a_worker_that_is_paused_counts_as_it_may_return(peers: Peers, redis: Redis) -> None:
    paused = PausedWorker(name="other", device="cpu", numerics=KIND, models=(), images_per_s=None, reason="no room")
    redis.set(paused_key("other"), paused.model_dump_json())
    assert peers.is_theirs(SPEC)


def test_what_a_worker_has_is_its_own(redis: Redis) -> None:
    come(redis, "other", KIND)
    assert not Peers(redis, "me", KIND.name, [SPEC.needs]).is_theirs(SPEC)
