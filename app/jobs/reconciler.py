"""The loop that ensures that every accepted job ends, whichever process dies."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Event, Thread
from typing import NamedTuple

from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace, shard_bytes
from app.cluster.first_seen import CERTAIN_SECONDS, FirstSeen
from app.jobs.damage_repair import repair_after_crash
from app.jobs.finish import finish_job
from app.jobs.key_expiry import shorten_expiries
from app.jobs.leadership import Leadership
from app.jobs.lost_tasks import QueueSnapshot, lost_tasks
from app.jobs.model_absence import ABSENCE_SECONDS, ModelAbsence
from app.jobs.retention import Retention
from worker.contracts.age import age
from worker.contracts.jobs import JobError, JobSpec, JobState
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError, StoreError
from worker.contracts.throttled_log import ThrottledLogger

_QUEUEING_TIME = timedelta(seconds=3)
"""Age of a job below which its own request may still be queueing it."""
_CONFIRMING_SECONDS = 1.0
"""How long a task must be missing before it is lost. A task on its way from the queue to a lease is missing briefly."""
_SETTLING_TIME = timedelta(seconds=30)
"""Time in which a worker forces a finished job to the disk. After it, the reconciler does."""
_MAX_WORKER_ABSENCE = timedelta(hours=24)
"""How long a job waits for a worker of its numerics."""
_ORPHAN_SECONDS = 60
"""Time in which a request that wrote a job's marker also writes the job."""
_EXPIRY_CHECK_SECONDS = 60
"""Interval between two checks of the expiry of Redis keys."""

QueueReader = Callable[[str], set[str]]
"""Returns the RQ ids of the queued tasks for a numerics."""

log = logging.getLogger(__name__)


class _Suspect(NamedTuple):
    """A job that seems to have lost tasks, and its shards as they were before the second read of the queue."""

    spec: JobSpec
    committed: set[int]
    started: set[int]
    """Shards that are being rendered or are committed."""


class Reconciler:
    """Compares the store, which is the truth, with the queue, and queues the missing tasks.

    This one loop repairs every loss:

    - an emptied Redis,
    - a worker that was killed while it rendered, or between taking and starting a task,
    - an API process that was killed between storing and queueing a job.

    Queueing a task twice is harmless, because leases and commits are exclusive.
    """

    def __init__(
        self,
        redis: Redis,
        store: Store,
        queue: TaskQueue,
        cluster: ClusterState,
        disk: DiskSpace,
        every_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._store = store
        self._queue = queue
        self._cluster = cluster
        self._disk = disk
        self._model_absence = ModelAbsence(cluster, clock)
        self._retention = Retention(store, clock=clock)
        self._leadership = Leadership(redis, every_seconds)
        self._every_seconds = every_seconds
        self._clock = clock
        self._has_checked_damage = False
        self._had_store_error = False
        self._missing_since, self._orphans_since, self._absent_since = FirstSeen(), FirstSeen(), FirstSeen()
        self._next_expiry_check = clock()
        self._throttled_log = ThrottledLogger(log, clock=clock)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Start the loop in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the loop and wait for its thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        is_confirming = False
        while True:
            is_something_missing = False
            try:
                if self._leadership.acquire_or_renew():
                    is_something_missing = self._run_round()
            except Exception as error:
                self._throttled_log.warning("reconciling failed error=%s reason=%s", type(error).__name__, error)
            is_confirming = is_something_missing and not is_confirming
            soon = _CONFIRMING_SECONDS if is_confirming else math.inf
            if self._stop.wait(min(soon, self._every_seconds)):
                return

    def _run_round(self) -> bool:
        """Run one round of all duties of the leader. Returns True if tasks are missing; a second round confirms it."""
        if self._clock() >= self._next_expiry_check:
            self._next_expiry_check = self._clock() + _EXPIRY_CHECK_SECONDS
            shorten_expiries(self._redis)
        is_something_missing = self.reconcile(datetime.now(UTC))
        self._retention.run_if_due(self._earlier_clock())
        return is_something_missing

    def reconcile(self, now: datetime) -> bool:
        """Check and repair every open job once. Returns True if tasks are missing."""
        absent, queued = self._cluster.absent(now), self._queue_reader()
        self._model_absence.update()
        suspects, unserved, orphan_ids = list[_Suspect](), list[JobSpec](), list[str]()
        open_jobs = [job_id for job_id, _ in self._store.jobs.open_jobs()]
        self._had_store_error = False
        for job_id in open_jobs:
            with self._errors_logged(job_id):
                if not self._has_checked_damage:
                    repair_after_crash(self._store, job_id)  # the power may have been cut
                spec = self._store.jobs.spec(job_id)
                if spec is None:
                    orphan_ids.append(job_id)
                elif self._has_ended(spec, now):
                    continue
                elif absent(spec.model.numerics.name) > _MAX_WORKER_ABSENCE:
                    unserved.append(spec)
                elif self._model_absence.is_too_long(spec):
                    self._fail_without_model(spec, now)
                elif age(spec.created, now) > _QUEUEING_TIME and (suspect := self._find_suspect(spec, queued)):
                    suspects.append(suspect)
        self._has_checked_damage |= not self._had_store_error
        self._remove_orphans(orphan_ids)
        self._fail_unserved(unserved, now)
        is_something_missing = self._requeue_lost(suspects)
        self._disk.reconcile(open_jobs)
        return is_something_missing

    def _queue_reader(self) -> QueueReader:
        """Return a function that reads the queue of each numerics only once, however many jobs are open."""
        return cache(self._queue.queued)

    @contextmanager
    def _errors_logged(self, job_id: str) -> Iterator[None]:
        """Log an error of the store about one job and go on, so that it does not block the other jobs."""
        try:
            yield
        except DamagedError as error:
            self._throttled_log.error("damaged job was skipped job_id=%s reason=%s", job_id, error)
        except (StoreError, OSError) as error:
            self._had_store_error = True
            self._throttled_log.warning("job was skipped until the next round job_id=%s reason=%s", job_id, error)

    def _remove_orphans(self, orphan_ids: list[str]) -> None:
        """Remove the markers of requests that died before they stored the job."""
        for job_id in self._orphans_since.observe(orphan_ids, _ORPHAN_SECONDS, self._clock()):
            with self._errors_logged(job_id):
                self._store.jobs.close_orphan(job_id)

    def _has_ended(self, spec: JobSpec, now: datetime) -> bool:
        state = self._store.jobs.state(spec.id)
        if state and age(state.finished, now) > _SETTLING_TIME:
            self._store.jobs.settle(spec, state)  # its worker died before it settled the job
        return state is not None

    def _fail_unserved(self, unserved: list[JobSpec], now: datetime) -> None:
        """Fail jobs without a worker of their numerics. Workers of other numerics would render other bytes."""
        names = {spec.model.numerics.name for spec in unserved}
        confirmed = self._absent_since.observe(names, CERTAIN_SECONDS, self._clock())
        for spec in unserved:
            if spec.model.numerics.name in confirmed:
                with self._errors_logged(spec.id):
                    self._fail_without_worker(spec, now)

    def _fail_without_worker(self, spec: JobSpec, now: datetime) -> None:
        """Fail a job, because no worker of its numerics has been alive for a day."""
        hours = _MAX_WORKER_ABSENCE // timedelta(hours=1)
        message = f"for {hours} hours no worker with the numerics {spec.model.numerics.name} was alive"
        self._fail(spec, JobError(code="no_worker", message=message), now)

    def _fail_without_model(self, spec: JobSpec, now: datetime) -> None:
        """Fail a job, because no live worker has had its model, or the weights of its style, for ten minutes."""
        styled = " and the VGG19 weights of its style" if spec.style else ""
        model = f"model {spec.model.name} ({spec.model.sha256[:12]})"
        message = f"for {ABSENCE_SECONDS / 60:.0f} minutes no live worker had the {model}{styled}"
        self._fail(spec, JobError(code="model_unavailable", message=message), now)

    def _fail(self, spec: JobSpec, error: JobError, now: datetime) -> None:
        if finish_job(
            self._store, self._cluster, spec, JobState(outcome="failed", started=None, finished=now, error=error)
        ):
            log.warning("job failed job_id=%s code=%s", spec.id, error.code)

    def _find_suspect(self, spec: JobSpec, queued: QueueReader) -> _Suspect | None:
        committed = self._store.shards.committed(spec.id)
        started = self._restore_progress(spec, committed)
        suspect = _Suspect(spec, committed, started)
        return suspect if self._find_lost_tasks(suspect, queued) else None

    def _requeue_lost(self, suspects: list[_Suspect]) -> bool:
        """Queue again the tasks that have been missing for long enough. Returns whether any task is missing."""
        queued = self._queue_reader()  # read again: some tasks have moved since the first read
        missing = list[tuple[JobSpec, list[Task]]]()
        for suspect in suspects:
            with self._errors_logged(suspect.spec.id):
                missing.append((suspect.spec, self._find_lost_tasks(suspect, queued)))
        ids = [task.queue_id for _, tasks in missing for task in tasks]
        confirmed = self._missing_since.observe(ids, _CONFIRMING_SECONDS, self._clock())
        for spec, tasks in missing:
            with self._errors_logged(spec.id):
                self._requeue(spec, [task for task in tasks if task.queue_id in confirmed])
        return bool(ids)

    def _requeue(self, spec: JobSpec, tasks: list[Task]) -> None:
        if not tasks or self._store.jobs.state(spec.id) is not None:
            return
        sizes = (shard_bytes(spec, task.shard) for task in tasks if task.shard is not None)
        if not self._disk.fits(max(sizes, default=0)):
            self._throttled_log.warning("lost tasks wait for free disk space job_id=%s tasks=%d", spec.id, len(tasks))
            return
        self._queue.enqueue(spec, tasks)
        self._missing_since.forget(task.queue_id for task in tasks)
        self._throttled_log.warning("lost tasks were queued again job_id=%s tasks=%d", spec.id, len(tasks))
        self._cluster.count("tasks_requeued", by=len(tasks))

    def _find_lost_tasks(self, suspect: _Suspect, queued: QueueReader) -> list[Task]:
        """Return the tasks that are missing now. Reads in the order that QueueSnapshot requires."""
        spec, known = suspect.spec, suspect.committed
        # If all shards are committed, the worker that finishes the job may hold the lease of any shard.
        is_whole = len(known) == spec.shard_count
        shards = [shard for shard in range(spec.shard_count) if is_whole or shard not in known]
        tasks = [*(Task.render_shard(spec.id, shard) for shard in shards), Task.finalise(spec.id)]
        queued_ids = queued(spec.model.numerics.name)
        leased = self._queue.leased(task.queue_id for task in tasks)
        return lost_tasks(
            spec, QueueSnapshot(suspect.started, queued_ids, leased, self._store.shards.committed(spec.id))
        )

    def _restore_progress(self, spec: JobSpec, committed: set[int]) -> set[int]:
        """Write progress that Redis has lost back to it. Returns the shards that have started."""
        known = self._cluster.progress(spec.id).images
        full = {shard: len(spec.shard_indices(shard)) for shard in committed}
        lost = {shard: images for shard, images in full.items() if known.get(shard) != images}
        if lost:
            self._cluster.restore_progress(spec.id, lost)
        return committed | set(known)

    def _earlier_clock(self) -> datetime:
        """Return the earlier of the times of this host and the Redis host, because either clock may be wrong.

        Images are deleted by this time. The earlier one deletes too late rather than too early.
        """
        seconds, microseconds = self._redis.time()
        return min(datetime.now(UTC), datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC))
