from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from rq import Queue

from tests.unit.conftest import spec_of
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.redis_keys import queue_names
from worker.contracts.queue.task_queue import TaskQueue, WaitingTask
from worker.contracts.queue.tasks import Task
from worker.contracts.styles import StyleSpec

NUMERICS = "cpu-float32"
LONG = queue_names(NUMERICS)[1]


class FakeWorker:
    """A queue, and a worker that takes tasks from it."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.task_queue = TaskQueue(redis)
        self.queue = Queue(LONG, connection=redis)
        self.specs: dict[str, JobSpec] = {}

    def add_job(self, owner: str, job: int, model_sha256: str = "0" * 64) -> None:
        plain = spec_of(n=4000)
        model = plain.model.model_copy(update={"sha256": model_sha256})
        spec = plain.model_copy(update={"id": f"{owner}{job}".ljust(22, "x"), "owner": owner, "model": model})
        self.specs[spec.id] = spec
        self.task_queue.enqueue(spec, [Task.render_shard(spec.id, 0, 1000)])

    def take(self) -> str:
        """Take the first task, queue its successor, and return the owner."""
        taken = self.redis.lpop(self.queue.key)
        assert isinstance(taken, bytes)
        spec = self.specs[job_id(taken)]
        self.task_queue.enqueue(spec, [Task.render_shard(spec.id, int(taken.rpartition(b"-")[2]) + 1, 1000)])
        return spec.owner

    def waiting_owners(self) -> list[str]:
        return [self.specs[job_id(item)].owner for item in self.redis.lrange(self.queue.key, 0, -1)]


def job_id(item: bytes | str) -> str:
    assert isinstance(item, bytes)
    return item.decode().rpartition("-")[0]


@pytest.fixture
def worker(redis: Redis) -> FakeWorker:
    return FakeWorker(redis)


def test_the_first_task_of_a_late_owner_goes_before_the_second_of_another(worker: FakeWorker) -> None:
    for job in range(4):
        worker.add_job("many", job)
    worker.add_job("few", 0)
    assert worker.waiting_owners() == ["many", "few", "many", "many", "many"]
    worker.add_job("few", 1)
    assert worker.waiting_owners() == ["many", "few", "many", "few", "many", "many"]


def test_without_owners_tasks_stay_in_the_order_of_arrival(worker: FakeWorker) -> None:
    for job in range(3):
        worker.add_job("", job)
    assert [worker.redis.lpop(worker.queue.key) for _ in range(3)] == [
        f"{job}".ljust(22, "x").encode() + b"-0" for job in range(3)
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=st.lists(st.integers(1, 12), min_size=2, max_size=5), rounds=st.integers(1, 12))
def test_owners_are_served_alike_however_many_jobs_they_have(redis: Redis, jobs: list[int], rounds: int) -> None:
    redis.flushall()
    worker = FakeWorker(redis)
    for number, count in enumerate(jobs):
        for job in range(count):
            worker.add_job(f"owner-{number}", job)
    served = Counter(worker.take() for _ in range(rounds * len(jobs)))
    assert max(served.values()) - min(served[f"owner-{number}"] for number in range(len(jobs))) <= 1


def test_an_owner_that_was_served_alone_owes_nothing(worker: FakeWorker) -> None:
    for job in range(5):
        worker.add_job("early", job)
    worker.redis.ltrim(worker.queue.key, 5, -1)  # all of them were served
    for owner, job in (("late", 0), ("late", 1), ("early", 5)):
        worker.add_job(owner, job)
    assert worker.waiting_owners() == ["late", "early", "late"]


def test_a_requeued_task_lets_other_owners_go_first(worker: FakeWorker) -> None:
    for owner, job in (("many", 0), ("many", 1), ("many", 2), ("few", 0)):
        worker.add_job(owner, job)
    first = worker.redis.lpop(worker.queue.key)
    assert isinstance(first, bytes)
    worker.task_queue.requeue(worker.queue, first.decode())
    assert worker.waiting_owners() == ["few", "many", "many", "many"]


def test_foreign_entries_in_the_queue_do_no_harm(worker: FakeWorker) -> None:
    worker.redis.rpush(worker.queue.key, b"\xff")
    worker.redis.set("rq:job:odd", "no hash")
    worker.redis.rpush(worker.queue.key, "odd")
    worker.add_job("few", 0)
    assert worker.redis.lindex(worker.queue.key, 2) == b"few0".ljust(22, b"x") + b"-0"


def swapped(worker: FakeWorker, *offered: str) -> str | None:
    """Take the first task and swap it for another one. Returns the owner of that one."""
    taken = worker.redis.lpop(worker.queue.key)
    assert isinstance(taken, bytes)
    found = worker.task_queue.swap(worker.queue, taken.decode(), [], offered)
    return found and worker.specs[found.queue_id.rpartition("-")[0]].owner


def test_a_task_that_a_worker_cannot_do_keeps_its_place_and_the_first_that_it_can_do_is_taken(
    worker: FakeWorker,
) -> None:
    for owner, sha256 in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "2")):
        worker.add_job(owner, 0, model_sha256=sha256 * 64)
    assert swapped(worker, "2" * 64) == "b"
    assert worker.waiting_owners() == ["a", "c", "d"]
    assert swapped(worker, "2" * 64) == "d"
    assert swapped(worker, "2" * 64) is None
    assert worker.waiting_owners() == ["a", "c"]


def test_a_task_that_was_returned_often_keeps_its_place(worker: FakeWorker) -> None:
    worker.add_job("foreign", 0, model_sha256="1" * 64)
    for _ in range(20):
        assert swapped(worker) is None
    worker.add_job("late", 0)
    worker.add_job("foreign", 1)
    assert worker.waiting_owners() == ["foreign", "late", "foreign"]


def test_any_worker_finishes_a_job(worker: FakeWorker) -> None:
    worker.add_job("a", 0, model_sha256="1" * 64)
    spec = next(iter(worker.specs.values()))
    worker.task_queue.enqueue(spec, [Task.finalise(spec.id)])
    assert swapped(worker) == "a"
    assert worker.waiting_owners() == ["a"]


def test_the_work_of_waiting_jobs_is_listed(redis: Redis) -> None:
    queue, style = TaskQueue(redis), StyleSpec(id="1" * 64, steps=50)
    assert queue.waiting(NUMERICS) == ([], [])
    long = spec_of(n=4000, shard_images=1000)
    queue.enqueue(spec_of(n=3), [Task.render_shard("s" * 22, 0)])
    queue.enqueue(long, [Task.render_shard("l" * 22, 3, 4)])
    queue.enqueue(long.model_copy(update={"style": style}), [Task.render_shard("t" * 22, 0, 4)])
    queue.enqueue(long, [Task.finalise("f" * 22)])
    redis.rpush(Queue(LONG, connection=redis).key, "of-an-older-version")
    short, others = queue.waiting(NUMERICS)
    assert short == [WaitingTask(3, 0)]
    assert others == [WaitingTask(1000, 0), WaitingTask(4000, 50), WaitingTask(1, 0), WaitingTask(1, 0)]


def test_a_long_queue_is_read_in_part_and_repeated(redis: Redis) -> None:
    queue = TaskQueue(redis)
    for number in range(450):
        queue.enqueue(spec_of(n=4000, shard_images=1000), [Task.render_shard(f"{number:022}", 1, 4)])
    assert queue.waiting(NUMERICS)[1] == [WaitingTask(3000, 0)] * 450
