from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from rq import Queue

from tests.unit.conftest import spec_of
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.redis_keys import queue_names
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task

NUMERICS = "cpu-float32"
LONG = queue_names(NUMERICS)[1]


class Stand:
    """A line, and who takes from it as a worker does."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.task_queue = TaskQueue(redis)
        self.queue = Queue(LONG, connection=redis)
        self.specs: dict[str, JobSpec] = {}

    def come(self, owner: str, job: int, model_sha256: str = "0" * 64) -> None:
        plain = spec_of(n=4000)
        model = plain.model.model_copy(update={"sha256": model_sha256})
        spec = plain.model_copy(update={"id": f"{owner}{job}".ljust(22, "x"), "owner": owner, "model": model})
        self.specs[spec.id] = spec
        self.task_queue.enqueue(spec, [Task.render_shard(spec.id, 0, 1000)])

    def take(self) -> str:
        """Take the first task, bring its successor, and tell whose it was."""
        taken = self.redis.lpop(self.queue.key)
        assert isinstance(taken, bytes)
        spec = self.specs[job_id(taken)]
        self.task_queue.enqueue(spec, [Task.render_shard(spec.id, int(taken.rpartition(b"-")[2]) + 1, 1000)])
        return spec.owner

    def waiting(self) -> list[str]:
        return [self.specs[job_id(item)].owner for item in self.redis.lrange(self.queue.key, 0, -1)]


def job_id(item: bytes | str) -> str:
    assert isinstance(item, bytes)
    return item.decode().rpartition("-")[0]


@pytest.fixture
def stand(redis: Redis) -> Stand:
    return Stand(redis)


def test_who_comes_late_goes_before_the_second_task_of_another(stand: Stand) -> None:
    for job in range(4):
        stand.come("many", job)
    stand.come("few", 0)
    assert stand.waiting() == ["many", "few", "many", "many", "many"]
    stand.come("few", 1)
    assert stand.waiting() == ["many", "few", "many", "few", "many", "many"]


def test_without_keys_the_line_is_as_jobs_came(stand: Stand) -> None:
    for job in range(3):
        stand.come("", job)
    assert [stand.redis.lpop(stand.queue.key) for _ in range(3)] == [
        f"{job}".ljust(22, "x").encode() + b"-0" for job in range(3)
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=st.lists(st.integers(1, 12), min_size=2, max_size=5), rounds=st.integers(1, 12))
def test_owners_are_served_alike_however_many_jobs_they_have(redis: Redis, jobs: list[int], rounds: int) -> None:
    redis.flushall()
    stand = Stand(redis)
    for number, count in enumerate(jobs):
        for job in range(count):
            stand.come(f"owner-{number}", job)
    served = Counter(stand.take() for _ in range(rounds * len(jobs)))
    assert max(served.values()) - min(served[f"owner-{number}"] for number in range(len(jobs))) <= 1


def test_who_was_served_alone_owes_nothing(stand: Stand) -> None:
    for job in range(5):
        stand.come("early", job)
    stand.redis.ltrim(stand.queue.key, 5, -1)  # all of them were served
    for owner, job in (("late", 0), ("late", 1), ("early", 5)):
        stand.come(owner, job)
    assert stand.waiting() == ["late", "early", "late"]


def test_what_waits_again_lets_others_go_first(stand: Stand) -> None:
    for owner, job in (("many", 0), ("many", 1), ("many", 2), ("few", 0)):
        stand.come(owner, job)
    first = stand.redis.lpop(stand.queue.key)
    assert isinstance(first, bytes)
    stand.task_queue.requeue(stand.queue, first.decode())
    assert stand.waiting() == ["few", "many", "many", "many"]


def test_something_else_in_the_line_does_no_harm(stand: Stand) -> None:
    stand.redis.rpush(stand.queue.key, b"\xff")
    stand.redis.set("rq:job:odd", "no hash")
    stand.redis.rpush(stand.queue.key, "odd")
    stand.come("few", 0)
    assert stand.redis.lindex(stand.queue.key, 2) == b"few0".ljust(22, b"x") + b"-0"


def swapped(stand: Stand, *offered: str) -> str | None:
    """Take the first task, put it back, and tell whose task was taken in its place."""
    taken = stand.redis.lpop(stand.queue.key)
    assert isinstance(taken, bytes)
    found = stand.task_queue.swap(stand.queue, taken.decode(), [], offered)
    return found and stand.specs[found.queue_id.rpartition("-")[0]].owner


def test_a_worker_leaves_what_it_cannot_do_in_its_place_and_takes_the_first_that_it_can(stand: Stand) -> None:
    for owner, sha256 in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "2")):
        stand.come(owner, 0, model_sha256=sha256 * 64)
    assert swapped(stand, "2" * 64) == "b"
    assert stand.waiting() == ["a", "c", "d"]
    assert swapped(stand, "2" * 64) == "d"
    assert swapped(stand, "2" * 64) is None
    assert stand.waiting() == ["a", "c"]


def test_a_task_that_was_left_often_keeps_its_turn(stand: Stand) -> None:
    stand.come("foreign", 0, model_sha256="1" * 64)
    for _ in range(20):
        assert swapped(stand) is None
    stand.come("late", 0)
    stand.come("foreign", 1)
    assert stand.waiting() == ["foreign", "late", "foreign"]


def test_any_worker_closes_a_job(stand: Stand) -> None:
    stand.come("a", 0, model_sha256="1" * 64)
    spec = next(iter(stand.specs.values()))
    stand.task_queue.enqueue(spec, [Task.finalise(spec.id)])
    assert swapped(stand) == "a"
    assert stand.waiting() == ["a"]
