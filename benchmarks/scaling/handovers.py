"""Measures the tasks/s that the queue server hands over. All tasks are queued, and the real code of workers takes them.

The store does not have the jobs of these tasks. A worker takes a task, does not find its job, and settles the task.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from rq import Queue

from benchmarks.scaling import simulated_service
from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses, StartError
from worker.contracts.cut import Cut
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.redis_keys import queue_names
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task

_POLL_SECONDS = 0.005
_TAKING_SECONDS = 120


@dataclass(frozen=True)
class Handovers:
    """The tasks that some workers have taken."""

    workers: int
    tasks: int
    enqueued_seconds: float
    """Time to queue all tasks one by one, by one process."""
    taken_seconds: float
    queue_cpu_s: float
    """CPU time of the queue server while the tasks were taken."""

    @property
    def enqueued_per_s(self) -> float:
        """Return the tasks/s that one process queues."""
        return self.tasks / self.enqueued_seconds

    @property
    def taken_per_s(self) -> float:
        """Return the tasks/s that all workers together take and settle."""
        return self.tasks / self.taken_seconds


def measure(service: ServiceProcesses, count: int, tasks: int) -> Handovers:
    """Time queueing tasks one by one. Then queue all at once, and time the workers that take them."""
    task_queue = TaskQueue(service.redis)
    with simulated_service.run_workers(service, count, None):
        spec = _unknown_job(service)
        enqueued_seconds = _enqueue_singly(task_queue, spec, tasks)
        _wait_until_taken(service, spec)
        task_queue.enqueue(spec, [_task() for _ in range(tasks)])
        before, began = service.cpu_seconds(), time.perf_counter()
        _wait_until_taken(service, spec)
        taken_seconds = time.perf_counter() - began
        queue_cpu_s = service.cpu_seconds()["queue"] - before["queue"]
    return Handovers(count, tasks, enqueued_seconds, taken_seconds, queue_cpu_s)


def _enqueue_singly(task_queue: TaskQueue, spec: JobSpec, tasks: int) -> float:
    began = time.perf_counter()
    for _ in range(tasks):
        task_queue.enqueue(spec, [_task()])
    return time.perf_counter() - began


def _unknown_job(service: ServiceProcesses) -> JobSpec:
    model = service.live.models()[MODEL]
    cut = Cut(first=model.numerics.batch_size, most=model.numerics.batch_size)
    return JobSpec(
        id=secrets.token_urlsafe(16), model=model, class_label=None, n=1, seed=0, cut=cut, created=datetime.now(UTC)
    )


def _task() -> Task:
    return Task.render_shard(secrets.token_urlsafe(16), 0)


def _wait_until_taken(service: ServiceProcesses, spec: JobSpec) -> None:
    short, _ = queue_names(spec.model.numerics.name)
    waiting = Queue(short, connection=service.redis)
    deadline = time.monotonic() + _TAKING_SECONDS
    while waiting.count:
        if time.monotonic() > deadline:
            raise StartError(f"tasks were still waiting after {_TAKING_SECONDS} s")
        time.sleep(_POLL_SECONDS)
