import secrets
from threading import Event
from typing import Any, cast

import pytest
from rq import Queue

from tests.integration.running_service import RunningService, wait_until
from worker.contracts.catalog import Numerics
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.queue.heartbeat import Heartbeat
from worker.queue.rq_worker import RqWorker
from worker.queue.task_runner import TaskRunner

MANY = 30_000
"""Tasks enough for a worker to be busy with for ten seconds and more."""


def test_short_jobs_go_first_but_cannot_starve_long_ones(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = Heartbeat(service.redis, "w", "cpu", Numerics(name="cpu-float32", batch_size=16), [])
    worker = RqWorker(service.redis, "w", cast(TaskRunner, None), heartbeat, Event())
    now = 100.0
    monkeypatch.setattr("worker.queue.rq_worker.time.monotonic", lambda: now)
    short, long = worker.queues
    first: list[Any] = []
    for taken, seconds in ((long, 0), (short, 4), (short, 1.5), (long, 1), (short, 1)):
        now += seconds
        worker.reorder_queues(taken)
        first.append(worker._ordered_queues[0])
    assert first == [short, short, long, short, short]


def test_a_long_job_gets_on_beside_a_long_line_of_short_ones(idle_service: RunningService) -> None:
    job = idle_service.generate(600)
    spec = Store(str(idle_service.folder / "store")).jobs.spec(job["id"])
    assert spec is not None
    short = spec.model_copy(update={"n": 1})
    unknown = [Task.render_shard(secrets.token_urlsafe(16), 0) for _ in range(MANY)]
    TaskQueue(idle_service.redis).enqueue(short, unknown)  # each is taken, found to be of no job, and settled
    idle_service.start_worker()
    wait_until(lambda: idle_service.job(job["id"])["images_done"] > 0)
    short_queue = Queue(idle_service.queues()[0], connection=idle_service.redis).key
    waiting = idle_service.redis.llen(short_queue)
    idle_service.redis.delete(short_queue)
    assert waiting > 0
