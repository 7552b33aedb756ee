"""The RQ worker: takes tasks from two queues and runs them in its own process.

RQ only transports tasks. Their results are in the store, so RQ's registries, results, retries, timeouts and callbacks
are not used. A task that is lost between the queue and the worker is queued again by the reconciler.
"""

import logging
import time
from functools import partial
from threading import Event
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

from worker.contracts.logs import fields
from worker.contracts.queue.redis_keys import queue_names
from worker.errors import TaskRefusedError
from worker.queue.background import Background
from worker.queue.heartbeat import Heartbeat
from worker.queue.outcome import Outcome
from worker.queue.redis_outage import tolerating_outage
from worker.queue.stateless_rq_worker import StatelessRqWorker
from worker.queue.task_job import TaskJob, parse_task
from worker.queue.task_runner import TaskRunner

_ANNOUNCE_SECONDS = 1.0
"""Shortest time between two announcements."""
_CHECK_SECONDS = 2.0
"""Time between two checks of a store that cannot be used."""
_OTHER_WORKER_SECONDS = 0.2
"""Pause of a worker when every task in its queues needs another worker."""
_READ_SECONDS = 5.0
"""Shortest time between two reads of the store for tasks that this worker cannot do."""
_MAX_LONG_WAIT_SECONDS = 5.0
"""Time after which a task of a long job goes before those of short jobs."""

log = logging.getLogger(__name__)


class RqWorker(StatelessRqWorker):
    """Runs tasks in its own process, so that models stay loaded between them."""

    def __init__(self, redis: Redis, name: str, task_runner: TaskRunner, heartbeat: Heartbeat, stopping: Event) -> None:
        super().__init__(redis, name, queue_names(heartbeat.numerics.name), stopping)
        self._task_runner = task_runner
        self._heartbeat = heartbeat
        self._long_served_at = self._announced_at = self._next_read_at = 0.0

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run one task and update its entry of the queue. RQ calls this for each job that it takes."""
        self.set_state(WorkerStatus.BUSY)
        outcome = self._run_if_able(job)
        if outcome is Outcome.OTHER_WORKER:
            self._swap_and_run(job, queue)
        else:
            self._settle(job, queue, outcome)
        self.set_state(WorkerStatus.IDLE)

    @tolerating_outage(default=None)
    def _settle(self, job: Job, queue: Queue, outcome: Outcome) -> None:
        if outcome in (Outcome.INTERRUPTED, Outcome.OTHER_WORKER):
            self.connection.lpush(queue.key, job.id)  # to the front, where RQ took it from
        elif outcome is Outcome.DEFERRED:
            self._task_runner.task_queue.requeue(queue, job.id)
        else:  # the entry is gone already; this is its hash
            self._background.submit(partial(self._delete, job.key))

    @property
    def _background(self) -> Background:
        return self._task_runner.shard_renderer.background

    @tolerating_outage(default=None)
    def _delete(self, key: bytes) -> None:
        self.connection.delete(key)

    def _swap_and_run(self, job: Job, queue: Queue) -> None:
        """Return a task to the queue and run the first task that this worker can do. Pause if there is none."""
        found = self._swap(job, queue)
        outcome = Outcome.OTHER_WORKER
        if found is not None:
            other, its_queue = found
            self.reorder_queues(its_queue)
            outcome = self._run(other)
            self._settle(other, its_queue, outcome)
        if outcome is Outcome.OTHER_WORKER:
            self.stopping.wait(_OTHER_WORKER_SECONDS)

    @tolerating_outage(default=None)
    def _swap(self, job: Job, queue: Queue) -> tuple[Job, Queue] | None:
        others = [each for each in self.queues if each != queue]
        found = self._task_runner.task_queue.swap(queue, job.id, others, self._task_runner.offers)
        if found is None:
            return None
        # The task is taken now. If its hash is gone or broken, it is lost, and the reconciler queues it again.
        try:
            return TaskJob.fetch(found.queue_id, self.connection, JSONSerializer), found.queue
        except NoSuchJobError:
            return None

    def _run_if_able(self, job: Job) -> Outcome:
        """Run a task if this worker has its model.

        Otherwise the store is read at most once in a few seconds: if the job has ended, the entry is removed. No other
        worker may ever take it.
        """
        is_foreign = isinstance(job, TaskJob) and job.needs and job.needs not in self._task_runner.offers
        if is_foreign and time.monotonic() < self._next_read_at:
            return Outcome.OTHER_WORKER
        outcome = self._run(job)
        if is_foreign and outcome is Outcome.OTHER_WORKER:
            self._next_read_at = time.monotonic() + _READ_SECONDS
        return outcome

    def _run(self, job: Job) -> Outcome:
        try:
            return self._task_runner.run(parse_task(job))
        except TaskRefusedError as error:
            log.warning("task was refused", extra=fields(id=job.id, reason=error))
            return Outcome.DONE

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Put the queue of long jobs first if it was not served for a while, so that short jobs cannot starve it.

        RQ calls this with the queue of each job that it takes. Its own strategies are not used.
        """
        short, long = self.queues
        now = time.monotonic()
        if reference_queue == long:
            self._long_served_at = now
        self.put_first(long if now - self._long_served_at > _MAX_LONG_WAIT_SECONDS else short)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ANN401
        """Announce this worker. RQ calls this before every read of the queue and after every task."""
        if time.monotonic() - self._announced_at > _ANNOUNCE_SECONDS:
            self._announced_at = time.monotonic()
            self._background.submit(self._heartbeat.announce)
        super().heartbeat(timeout, pipeline)

    def register_death(self) -> None:
        """Remove this worker's announcement. RQ calls this when its loop ends."""
        self._background.wait()  # no announcement may follow
        self._heartbeat.retire()

    def check_for_suspension(self, burst: bool) -> None:  # noqa: ARG002
        """Wait while this worker cannot use the store, and announce the reason.

        RQ calls this before each task. Its own suspension, by a flag in Redis, is not used.
        """
        check = self._task_runner.store_check
        if check.pause_reason is None or check.check() is None:
            self._heartbeat.pause_reason = None
            return
        while not self.stopping.is_set() and check.pause_reason is not None:
            self._heartbeat.pause_reason = check.pause_reason
            self._heartbeat.announce()
            self.stopping.wait(_CHECK_SECONDS)
            check.check()
        self._heartbeat.pause_reason = check.pause_reason
        self._announced_at = 0.0  # announce the end of the pause without delay
