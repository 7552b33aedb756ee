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
from app.jobs.damage_repair import mend
from app.jobs.finish import end
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

_GRACE = timedelta(seconds=3)
"""Age of a job below which its own request may still be queueing it."""
_CONFIRMING_SECONDS = 1.0
"""How long a task must be missing before it is lost. A task on its way from the queue to a lease is missing briefly."""
_SETTLING = timedelta(seconds=30)
"""Time in which a worker forces a finished job to the disk. After it, the reconciler does."""
_ABSENCE = timedelta(hours=24)
"""How long a job waits for a worker of its numerics."""
_ORPHAN_SECONDS = 60
"""Time in which a request that wrote a job's marker also writes the job."""
_EXPIRIES_SECONDS = 60
"""Interval between two checks of the expiry of Redis keys."""

Queued = Callable[[str], set[str]]
"""Returns the RQ ids of the queued tasks for a numerics."""

log = logging.getLogger(__name__)


class _Suspect(NamedTuple):
    """A job that seems to have lost tasks, and its shards as they were before the second read of the queue."""

    spec: JobSpec
    committed: set[int]
    begun: set[int]
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
        line: TaskQueue,
        live: ClusterState,
        room: DiskSpace,
        every_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._store = store
        self._line = line
        self._live = live
        self._room = room
        self._model_absence = ModelAbsence(live, clock)
        self._retention = Retention(store, clock=clock)
        self._leadership = Leadership(redis, every_seconds)
        self._every_seconds = every_seconds
        self._clock = clock
        self._has_looked = False
        self._had_trouble = False
        self._missing, self._orphans, self._absences = FirstSeen(), FirstSeen(), FirstSeen()
        self._expiries_due = clock()
        self._trouble = ThrottledLogger(log, clock=clock)
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
        is_second_look = False
        while True:
            is_something_missing = False
            try:
                if self._leadership.is_ours():
                    is_something_missing = self._lead()
            except Exception as error:
                self._trouble.warning("reconciling failed error=%s reason=%s", type(error).__name__, error)
            is_second_look = is_something_missing and not is_second_look
            soon = _CONFIRMING_SECONDS if is_second_look else math.inf
            if self._stop.wait(min(soon, self._every_seconds)):
                return

    def _lead(self) -> bool:
        """Run one round of all duties of the leader. Returns True if tasks are missing; a second round confirms it."""
        if self._clock() >= self._expiries_due:
            self._expiries_due = self._clock() + _EXPIRIES_SECONDS
            shorten_expiries(self._redis)
        is_something_missing = self.reconcile(datetime.now(UTC))
        self._retention.tend(self._agreed_now())
        return is_something_missing

    def reconcile(self, now: datetime) -> bool:
        """Check and repair every open job once. Returns True if tasks are missing."""
        absent, queued = self._live.absent(now), self._lines()
        self._model_absence.look()
        suspects, unserved, unborn = list[_Suspect](), list[JobSpec](), list[str]()
        open_jobs = [job_id for job_id, _ in self._store.jobs.open_jobs()]
        self._had_trouble = False
        for job_id in open_jobs:
            with self._left_in_trouble(job_id):
                if not self._has_looked:
                    mend(self._store, job_id)  # the power may have been cut
                spec = self._store.jobs.spec(job_id)
                if spec is None:
                    unborn.append(job_id)
                elif self._has_ended(spec, now):
                    continue
                elif absent(spec.model.numerics.name) > _ABSENCE:
                    unserved.append(spec)
                elif self._model_absence.is_too_long(spec):
                    self._fail_without_model(spec, now)
                elif age(spec.created, now) > _GRACE and (suspect := self._suspect(spec, queued)):
                    suspects.append(suspect)
        self._has_looked |= not self._had_trouble
        self._close(unborn)
        self._give_up(unserved, now)
        is_something_missing = self._repair(suspects)
        self._room.tend(open_jobs)
        return is_something_missing

    def _lines(self) -> Queued:
        """Return a function that reads the queue of each numerics only once, however many jobs are open."""
        return cache(self._line.queued)

    @contextmanager
    def _left_in_trouble(self, job_id: str) -> Iterator[None]:
        """Log an error of the store about one job and go on, so that it does not block the other jobs."""
        try:
            yield
        except DamagedError as error:
            self._trouble.error("job was left alone job_id=%s reason=%s", job_id, error)
        except (StoreError, OSError) as error:
            self._had_trouble = True
            self._trouble.warning("job was left for the next round job_id=%s reason=%s", job_id, error)

    def _close(self, unborn: list[str]) -> None:
        """Remove the markers of requests that died before they stored the job."""
        for job_id in self._orphans.lasting(unborn, _ORPHAN_SECONDS, self._clock()):
            with self._left_in_trouble(job_id):
                self._store.jobs.close_orphan(job_id)

    def _has_ended(self, spec: JobSpec, now: datetime) -> bool:
        state = self._store.jobs.state(spec.id)
        if state and age(state.finished, now) > _SETTLING:
            self._store.jobs.settle(spec, state)  # its worker died before it settled the job
        return state is not None

    def _give_up(self, unserved: list[JobSpec], now: datetime) -> None:
        """Fail jobs without a worker of their numerics. Workers of other numerics would render other bytes."""
        names = {spec.model.numerics.name for spec in unserved}
        certain = self._absences.lasting(names, CERTAIN_SECONDS, self._clock())
        for spec in unserved:
            if spec.model.numerics.name in certain:
                with self._left_in_trouble(spec.id):
                    self._fail_without_worker(spec, now)

    def _fail_without_worker(self, spec: JobSpec, now: datetime) -> None:
        """Fail a job, because no worker of its numerics has been alive for a day."""
        hours = _ABSENCE // timedelta(hours=1)
        message = f"for {hours} hours there was no worker that computes as {spec.model.numerics.name}"
        self._fail(spec, JobError(code="no_worker", message=message), now)

    def _fail_without_model(self, spec: JobSpec, now: datetime) -> None:
        """Fail a job, because no live worker has had its model, or the weights of its style, for ten minutes."""
        styled = " and the weights of VGG19 of its style" if spec.style else ""
        model = f"model {spec.model.name} ({spec.model.sha256[:12]})"
        message = f"for {ABSENCE_SECONDS / 60:.0f} minutes no live worker had the {model}{styled}"
        self._fail(spec, JobError(code="model_unavailable", message=message), now)

    def _fail(self, spec: JobSpec, error: JobError, now: datetime) -> None:
        if end(self._store, self._live, spec, JobState(outcome="failed", started=None, finished=now, error=error)):
            log.warning("job failed job_id=%s code=%s", spec.id, error.code)

    def _suspect(self, spec: JobSpec, queued: Queued) -> _Suspect | None:
        committed = self._store.shards.committed(spec.id)
        begun = self._restored_progress(spec, committed)
        suspect = _Suspect(spec, committed, begun)
        return suspect if self._lost(suspect, queued) else None

    def _repair(self, suspects: list[_Suspect]) -> bool:
        """Queue again the tasks that have been missing for long enough. Returns whether any task is missing."""
        queued = self._lines()  # read again: some tasks have moved since the first read
        missing = list[tuple[JobSpec, list[Task]]]()
        for suspect in suspects:
            with self._left_in_trouble(suspect.spec.id):
                missing.append((suspect.spec, self._lost(suspect, queued)))
        ids = [task.queue_id for _, tasks in missing for task in tasks]
        certain = self._missing.lasting(ids, _CONFIRMING_SECONDS, self._clock())
        for spec, tasks in missing:
            with self._left_in_trouble(spec.id):
                self._requeue(spec, [task for task in tasks if task.queue_id in certain])
        return bool(ids)

    def _requeue(self, spec: JobSpec, tasks: list[Task]) -> None:
        if not tasks or self._store.jobs.state(spec.id) is not None:
            return
        sizes = (shard_bytes(spec, task.shard) for task in tasks if task.shard is not None)
        if not self._room.fits(max(sizes, default=0)):
            self._trouble.warning("lost tasks wait for room on the disk job_id=%s tasks=%d", spec.id, len(tasks))
            return
        self._line.enqueue(spec, tasks)
        self._missing.forget(task.queue_id for task in tasks)
        self._trouble.warning("lost tasks were queued again job_id=%s tasks=%d", spec.id, len(tasks))
        self._live.count("tasks_requeued", by=len(tasks))

    def _lost(self, suspect: _Suspect, queued: Queued) -> list[Task]:
        """Return the tasks that are missing now. Reads in the order that QueueSnapshot requires."""
        spec, known = suspect.spec, suspect.committed
        # If all shards are committed, the worker that finishes the job may hold the lease of any shard.
        is_whole = len(known) == spec.shard_count
        shards = [shard for shard in range(spec.shard_count) if is_whole or shard not in known]
        tasks = [*(Task.render_shard(spec.id, shard) for shard in shards), Task.finalise(spec.id)]
        waiting = queued(spec.model.numerics.name)
        leased = self._line.leased(task.queue_id for task in tasks)
        return lost_tasks(spec, QueueSnapshot(suspect.begun, waiting, leased, self._store.shards.committed(spec.id)))

    def _restored_progress(self, spec: JobSpec, committed: set[int]) -> set[int]:
        """Write progress that Redis has lost back to it. Returns the shards that have started."""
        known = self._live.progress(spec.id).images
        full = {shard: len(spec.shard_indices(shard)) for shard in committed}
        gone = {shard: images for shard, images in full.items() if known.get(shard) != images}
        if gone:
            self._live.restore_progress(spec.id, gone)
        return committed | set(known)

    def _agreed_now(self) -> datetime:
        """Return the earlier of the times of this host and the Redis host, because either clock may be wrong.

        Images are deleted by this time. The earlier one deletes too late rather than too early.
        """
        seconds, microseconds = self._redis.time()
        return min(datetime.now(UTC), datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC))
