"""The parts of RQ that our worker replaces or reads. A failure here shows which part an upgrade has changed."""

import inspect
from threading import Event

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.worker.base import WorkerStatus

from worker.queue.rq_worker import RqWorker
from worker.queue.stateless_rq_worker import IDLE_SECONDS, StatelessRqWorker

SIGNATURES = {
    "check_for_suspension": ("self", "burst"),
    "execute_job": ("self", "job", "queue"),
    "heartbeat": ("self", "timeout", "pipeline"),
    "register_birth": ("self",),
    "register_death": ("self",),
    "reorder_queues": ("self", "reference_queue"),
    "request_stop": ("self", "signum", "frame"),
    "run_maintenance_tasks": ("self",),
    "set_state": ("self", "state", "pipeline"),
    "subscribe": ("self",),
    "unsubscribe": ("self",),
}
CALLS = {
    "work": (
        "check_for_suspension",
        "run_maintenance_tasks",
        "execute_job",
        "heartbeat",
        "_stop_requested",
        "teardown",
    ),
    "bootstrap": ("register_birth", "subscribe", "set_state"),
    "dequeue_job_and_maintain_ttl": ("heartbeat", "_ordered_queues", "reorder_queues", "max_connection_wait_time"),
    "teardown": ("register_death", "unsubscribe"),
    "_install_signal_handlers": ("request_stop",),
    "get_state": ("_state",),
}
"""Methods of RQ that we use as they are, and the names that they must still read."""
OURS = {"put_first"}


@pytest.fixture
def worker(redis: Redis) -> StatelessRqWorker:
    return StatelessRqWorker(redis, "w", ("short", "long"), Event())


@pytest.mark.parametrize("name", SIGNATURES)
def test_an_overridden_method_of_rq_has_the_parameters_that_we_know(name: str) -> None:
    assert tuple(inspect.signature(getattr(SimpleWorker, name)).parameters) == SIGNATURES[name]


def test_every_public_method_replaces_one_of_rq() -> None:
    methods = {name for kind in (StatelessRqWorker, RqWorker) for name, value in vars(kind).items() if callable(value)}
    assert {name for name in methods if not name.startswith("_")} - {"job_class"} - OURS == set(SIGNATURES)


def test_no_private_name_of_ours_is_one_of_rq(redis: Redis) -> None:
    rq = SimpleWorker(["short"], name="w", connection=redis, prepare_for_work=False)
    private = {name for name in vars(RqWorker) if name.startswith("_") and not name.startswith("__")}
    assert not private & {*dir(rq)}
    assert not {"stopping", "_task_runner", "_heartbeat", "_long_served_at", "_announced_at", "_next_read_at"} & {
        *dir(rq)
    }


@pytest.mark.parametrize("name", CALLS)
def test_the_loop_of_rq_still_uses_what_we_replace(name: str) -> None:
    assert set(CALLS[name]) <= set(getattr(SimpleWorker, name).__code__.co_names)


def test_rq_reads_the_private_state_that_we_set(worker: StatelessRqWorker) -> None:
    assert {"_ordered_queues", "_state", "_stop_requested"} <= set(
        vars(SimpleWorker(["q"], connection=worker.connection, prepare_for_work=False))
    )
    worker.set_state(WorkerStatus.BUSY)
    assert worker.get_state() == WorkerStatus.BUSY


def test_the_loop_blocks_for_the_idle_time(worker: StatelessRqWorker) -> None:
    assert worker.dequeue_timeout == IDLE_SECONDS


def test_a_task_is_taken_from_the_queue_that_was_put_first(worker: StatelessRqWorker, redis: Redis) -> None:
    short, long = worker.queues
    for queue in (short, long):
        queue.enqueue_many([Queue.prepare_data("render_shard", job_id=queue.name)])
    worker.put_first(long)
    taken = [worker.dequeue_job_and_maintain_ttl(1) for _ in range(2)]
    assert [found and found[0].id for found in taken] == ["long", "short"]
    assert redis.keys("rq:worker*") == []


def test_a_worker_leaves_no_record_in_redis(worker: StatelessRqWorker, redis: Redis) -> None:
    worker.register_birth()
    worker.subscribe()
    worker.set_state(WorkerStatus.BUSY)
    worker.run_maintenance_tasks()
    worker.heartbeat()
    worker.register_death()
    worker.unsubscribe()
    assert redis.keys("*") == []


def test_a_busy_worker_stops_after_its_task_and_an_idle_one_at_once(worker: StatelessRqWorker) -> None:
    worker.heartbeat()
    worker.set_state(WorkerStatus.BUSY)
    worker.request_stop(15, None)
    assert worker.stopping.is_set()
    with pytest.raises(StopRequested):
        worker.heartbeat()
    worker.set_state(WorkerStatus.IDLE)
    with pytest.raises(StopRequested):
        worker.request_stop(15, None)


def test_keys_of_rq_have_the_names_that_our_scripts_use(redis: Redis) -> None:
    assert Queue("q", connection=redis).key == "rq:queue:q"
    assert Job.redis_job_namespace_prefix == "rq:job:"
