"""The RQ worker: takes tasks from two queues and runs them in its own process.

RQ only transports tasks. Their results are in the store, so RQ's registries, results, retries, timeouts and callbacks
are not used. A task that is lost between the queue and the worker is queued again by the reconciler.
"""

import logging
import time
from contextlib import suppress
from threading import Event
from types import FrameType
from typing import Any

from pydantic import ValidationError
from redis import Redis
from rq import Queue, SimpleWorker
from rq.exceptions import DeserializationError, NoSuchJobError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import as_text
from rq.worker.base import WorkerStatus

from worker.contracts.queue.redis_keys import queue_names
from worker.contracts.queue.task_queue import NEEDS_FIELD
from worker.contracts.queue.tasks import Task
from worker.errors import TaskRefusedError
from worker.queue.heartbeat import Heartbeat, OutageTolerated
from worker.queue.outcome import Outcome
from worker.queue.task_runner import TaskRunner

_IDLE_SECONDS = 5
_RECONNECT_SECONDS = 2.0
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


class TaskJob(Job):
    """An RQ job that never imports the function that its payload names."""

    needs = ""
    """Name of the model (and VGG19 weights) that the task needs; empty if any worker can do it or if it is unknown."""

    def restore(self, raw_data: Any) -> Any:  # noqa: ANN401
        """Read a job. A broken job raises NoSuchJobError, which RQ handles without ending the worker."""
        try:
            self.needs = as_text(raw_data.get(NEEDS_FIELD.encode(), b""))
            return super().restore(raw_data)
        except StopRequested:
            raise  # a signal arrived during the read; the job is not broken
        except Exception as error:
            raise NoSuchJobError(f"broken job {self.id}: {error}") from error

    @property
    def func(self) -> Any:  # noqa: ANN401
        """Raise TaskRefusedError. RQ would import the named function here."""
        raise TaskRefusedError(f"{self.func_name} is not imported: a task is never called by its name")


def parse_task(job: Job) -> Task:
    """Parse a payload. Raises TaskRefusedError if it is not a valid task."""
    try:
        if job.instance is not None or job.args:
            raise TaskRefusedError(f"{job.func_name} has positional arguments or an instance, which no task has")
        return Task.model_validate({"name": job.func_name, **job.kwargs})
    except (DeserializationError, ValidationError, TypeError) as error:
        raise TaskRefusedError(f"job {job.id} is not a valid task") from error


class RqWorker(SimpleWorker):
    """Runs tasks in its own process, so that models stay loaded between them."""

    job_class = TaskJob
    max_connection_wait_time = _RECONNECT_SECONDS

    def __init__(self, redis: Redis, name: str, task_runner: TaskRunner, heartbeat: Heartbeat, stopping: Event) -> None:
        # RQ blocks on the queue for worker_ttl - 15 seconds.
        super().__init__(
            list(queue_names(heartbeat.numerics.name)),
            name=name,
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=_IDLE_SECONDS + 15,
            log_job_description=False,
            # Else RQ sends CLIENT INFO, and Redis' client cannot parse the reply if a socket's path has a space.
            prepare_for_work=False,
        )
        self._task_runner = task_runner
        self._heartbeat = heartbeat
        self._stopping = stopping
        self._long_served_at = self._announced_at = self._next_read_at = 0.0

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run one task and update its entry of the queue."""
        self.set_state(WorkerStatus.BUSY)
        outcome = self._run_if_able(job)
        if outcome is Outcome.OTHER_WORKER:
            self._swap_and_run(job, queue)
        else:
            self._settle(job, queue, outcome)
        self.set_state(WorkerStatus.IDLE)

    def _settle(self, job: Job, queue: Queue, outcome: Outcome) -> None:
        with OutageTolerated():
            if outcome in (Outcome.INTERRUPTED, Outcome.OTHER_WORKER):
                self.connection.lpush(queue.key, job.id)
            elif outcome is Outcome.DEFERRED:
                self._task_runner.task_queue.requeue(queue, job.id)
            else:
                self.connection.delete(job.key)

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
            self._stopping.wait(_OTHER_WORKER_SECONDS)

    def _swap(self, job: Job, queue: Queue) -> tuple[Job, Queue] | None:
        others = [each for each in self.queues if each != queue]
        with OutageTolerated(), suppress(NoSuchJobError):
            if found := self._task_runner.task_queue.swap(queue, job.id, others, self._task_runner.offers):
                return TaskJob.fetch(found.queue_id, self.connection, JSONSerializer), found.queue
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
            log.warning("task was refused id=%s reason=%s", job.id, error)
            return Outcome.DONE

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        """Stop after the current batch, or immediately if idle."""
        self._stop_requested = True
        self._stopping.set()
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Put the queue of long jobs first if it was not served for a while, so that short jobs cannot starve it.

        RQ calls this for each task.
        """
        short, long = self.queues
        now = time.monotonic()
        if reference_queue == long:
            self._long_served_at = now
        self._ordered_queues = [long, short] if now - self._long_served_at > _MAX_LONG_WAIT_SECONDS else [short, long]

    def register_birth(self) -> None:
        """Do nothing: the first heartbeat announces this worker, after a check of the store.

        RQ's list of workers is not used, because RQ never removes killed workers from it.
        """

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ANN401, ARG002
        """Announce this worker. RQ calls this before every read of the queue.

        Raises StopRequested if a signal has arrived, because a library may have swallowed the first StopRequested.
        """
        if time.monotonic() - self._announced_at > _ANNOUNCE_SECONDS:
            self._announced_at = time.monotonic()
            self._heartbeat.announce()
        if self._stop_requested:
            raise StopRequested

    def set_state(self, state: str, pipeline: Any = None) -> None:  # noqa: ANN401, ARG002
        """Keep the state in this process. RQ would write it to Redis."""
        self._state = state

    def register_death(self) -> None:
        """Remove this worker's announcement."""
        self._heartbeat.retire()

    def run_maintenance_tasks(self) -> None:
        """Do nothing: the registries of RQ are not used."""

    def check_for_suspension(self, burst: bool) -> None:  # noqa: ARG002
        """Wait while this worker cannot use the store, and announce the reason. RQ calls this before each task."""
        check = self._task_runner.store_check
        if check.pause_reason is None or check.check() is None:
            self._heartbeat.pause_reason = None
            return
        while not self._stopping.is_set() and check.pause_reason is not None:
            self._heartbeat.pause_reason = check.pause_reason
            self._heartbeat.announce()
            self._stopping.wait(_CHECK_SECONDS)
            check.check()
        self._heartbeat.pause_reason = check.pause_reason
        self._announced_at = 0.0

    def subscribe(self) -> None:
        """Do nothing: workers take no commands from Redis."""

    def unsubscribe(self) -> None:
        """Do nothing: there is no subscription."""
