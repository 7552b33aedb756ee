"""The loop that ensures that every accepted job ends, whichever process dies."""

import logging
import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.first_seen import FirstSeen
from app.jobs.damage_repair import repair_after_crash
from app.jobs.finish import finish_job
from app.jobs.job_isolation import JobIsolation
from app.jobs.key_expiry import shorten_expiries
from app.jobs.leadership import Leadership
from app.jobs.requeuer import CONFIRMING_SECONDS, Requeuer
from app.jobs.retention import Retention
from app.jobs.worker_absence import WorkerAbsence
from worker.contracts.age import age
from worker.contracts.job_state import JobError, JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.store import Store
from worker.contracts.throttled_log import ThrottledLogger

_QUEUEING_TIME = timedelta(seconds=3)
"""Age of a job below which its own request may still be queueing it."""
_SETTLING_TIME = timedelta(seconds=30)
"""Time in which a worker forces a finished job to the disk. After it, the reconciler does."""
_ORPHAN_SECONDS = 60
"""Time in which a request that wrote a job's marker also writes the job."""
_EXPIRY_CHECK_SECONDS = 60
"""Interval between two checks of the expiry of Redis keys."""

log = logging.getLogger(__name__)


class Reconciler:
    """Compares the store, which is the truth, with the queue, and queues the missing tasks.

    This one loop repairs every loss:

    - an emptied Redis,
    - a worker that was killed while it rendered, or between taking and starting a task,
    - an API process that was killed between storing and queueing a job.
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
        self._cluster = cluster
        self._disk = disk
        self._every_seconds = every_seconds
        self._clock = clock
        self._throttled_log = ThrottledLogger(log, clock=clock)
        self._isolation = JobIsolation(self._throttled_log)
        self._worker_absence = WorkerAbsence(redis, cluster, clock)
        self._requeuer = Requeuer(store, queue, cluster, disk, self._isolation, self._throttled_log, clock)
        self._retention = Retention(store, clock=clock)
        self._leadership = Leadership(redis, every_seconds)
        self._has_checked_damage = False
        self._orphans_since = FirstSeen()
        self._next_expiry_check = clock()
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
                self._throttled_log.warning(
                    "reconciling failed", extra=fields(error=type(error).__name__, reason=error)
                )
            # If tasks are missing, the next round comes early and confirms it. The round after it does not.
            is_confirming = is_something_missing and not is_confirming
            soon = CONFIRMING_SECONDS if is_confirming else math.inf
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
        self._isolation.had_store_error = False
        job_ids = [job_id for job_id, _ in self._store.jobs.open_jobs()]
        specs = self._read_open_jobs(job_ids, now)
        errors = self._worker_absence.find_errors(specs, now)
        for spec in specs:
            if error := errors.get(spec.id):
                with self._isolation.skipping_errors(spec.id):
                    self._fail(spec, error, now)
        is_something_missing = self._requeuer.requeue_lost(
            spec for spec in specs if spec.id not in errors and age(spec.created, now) > _QUEUEING_TIME
        )
        self._disk.reconcile(job_ids)
        return is_something_missing

    def _read_open_jobs(self, job_ids: Iterable[str], now: datetime) -> list[JobSpec]:
        """Return the jobs that have not ended. Removes markers of ended jobs and of requests that stored no job."""
        specs, orphan_ids = list[JobSpec](), list[str]()
        for job_id in job_ids:
            with self._isolation.skipping_errors(job_id):
                if not self._has_checked_damage:
                    # A power cut before this start may have corrupted the job. It must not go on before it is repaired.
                    repair_after_crash(self._store, job_id)
                spec = self._store.jobs.spec(job_id)
                if spec is None:
                    orphan_ids.append(job_id)
                elif not self._has_ended(spec, now):
                    specs.append(spec)
        self._has_checked_damage |= not self._isolation.had_store_error
        for job_id in self._orphans_since.observe(orphan_ids, _ORPHAN_SECONDS, self._clock()):
            with self._isolation.skipping_errors(job_id):
                self._store.jobs.close_orphan(job_id)
        return specs

    def _has_ended(self, spec: JobSpec, now: datetime) -> bool:
        state = self._store.jobs.state(spec.id)
        if state and age(state.finished, now) > _SETTLING_TIME:
            self._store.jobs.settle(spec, state)  # its worker died before it settled the job
        return state is not None

    def _fail(self, spec: JobSpec, error: JobError, now: datetime) -> None:
        state = JobState(outcome="failed", started=None, finished=now, error=error)
        if finish_job(self._store, self._cluster, spec, state):
            log.warning("job failed", extra=fields(job_id=spec.id, code=error.code))

    def _earlier_clock(self) -> datetime:
        """Return the earlier of the times of this host and the Redis host, because either clock may be wrong.

        Images are deleted by this time. The earlier one deletes too late rather than too early.
        """
        seconds, microseconds = self._redis.time()
        return min(datetime.now(UTC), datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC))
