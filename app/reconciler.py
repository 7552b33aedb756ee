"""The loop that keeps the promise: every accepted job ends, whatever died in between."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Event, Thread
from uuid import uuid4

from redis import Redis

from app.ending import end
from app.live import Live
from app.mending import mend
from app.model_absence import ABSENCE_SECONDS, ModelAbsence
from app.retention import Retention
from worker.contracts.artifacts import Artifacts, DamagedError, StoreError
from worker.contracts.jobs import JobError, JobSpec, JobState
from worker.contracts.line import Line
from worker.contracts.queue import Task

_LEADER_KEY = "imagemill:reconciler"
_GRACE = timedelta(seconds=3)
"""A job this young is still being queued by the request that brought it."""
_SETTLING = timedelta(seconds=30)
"""Within this time a worker has forced a finished job to the disk."""
_ABSENCE = timedelta(hours=24)
"""That a job waits for a worker of its numerics."""
_ORPHAN_AGE = timedelta(minutes=1)

Queued = Callable[[str], set[str]]
"""Lists the RQ ids that wait for workers of one numerics."""

log = logging.getLogger(__name__)


class Reconciler:
    """Compares the store, which knows the truth, with the queue, and enqueues what is missing there.

    One loop for all losses: an emptied Redis, a worker killed at work or between taking and starting a task, an API
    killed between writing a job down and queueing it. Enqueueing too much is harmless, as leases and commits are
    exclusive.
    """

    def __init__(self, redis: Redis, artifacts: Artifacts, line: Line, live: Live, every_seconds: float) -> None:
        self._redis = redis
        self._artifacts = artifacts
        self._line = line
        self._live = live
        self._model_absence = ModelAbsence(live)
        self._retention = Retention(artifacts)
        self._every_seconds = every_seconds
        self._name = uuid4().hex
        self._has_looked = False
        self._had_trouble = False
        self._stop = Event()
        self._thread = Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Start the loop in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the loop and wait for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                if self._is_leader():
                    self.reconcile(datetime.now(UTC))
                    self._retention.tend(datetime.now(UTC))
            except Exception as error:
                log.warning("reconciling failed error=%s reason=%s", type(error).__name__, error)
            if self._stop.wait(self._every_seconds):
                return

    def reconcile(self, now: datetime) -> None:
        """Repair every open job once."""
        absent, queued, suspects = self._live.absent(now), self._lines(), list[JobSpec]()
        self._model_absence.look()
        self._had_trouble = False
        for job_id, since in list(self._artifacts.open_jobs()):
            with self._left_in_trouble(job_id):
                if not self._has_looked:
                    mend(self._artifacts, job_id)  # the power may have been cut
                spec = self._open_job(job_id, now - since, now)
                if spec and absent(spec.model.numerics.name) > _ABSENCE:
                    self._give_up(spec, now)
                elif spec and self._model_absence.is_too_long(spec):
                    self._fail_without_model(spec, now)
                elif spec and now - spec.created > _GRACE and self._looks_lost(spec, queued):
                    suspects.append(spec)
        self._has_looked |= not self._had_trouble
        queued = self._lines()  # read again, as some of them have just got on since
        for spec in suspects:
            with self._left_in_trouble(spec.id):
                self._repair(spec, queued)

    def _lines(self) -> Queued:
        """Make what reads each kind's line once, however many jobs are open."""
        return cache(self._line.queued)

    @contextmanager
    def _left_in_trouble(self, job_id: str) -> Iterator[None]:
        """Let trouble with one job keep nobody from the others."""
        try:
            yield
        except DamagedError as error:
            log.error("job was left alone job_id=%s reason=%s", job_id, error)
        except (StoreError, OSError) as error:
            self._had_trouble = True
            log.warning("job was left for the next round job_id=%s reason=%s", job_id, error)

    def _open_job(self, job_id: str, age: timedelta, now: datetime) -> JobSpec | None:
        """Read a job that has not ended; close what has, or never was one."""
        spec = self._artifacts.spec(job_id)
        if spec is None:
            if age > _ORPHAN_AGE:
                self._artifacts.close_orphan(job_id)
            return None
        state = self._artifacts.state(job_id)
        if state and now - state.finished > _SETTLING:
            self._artifacts.settle_job(spec, state)  # its worker died before it could
        return None if state else spec

    def _give_up(self, spec: JobSpec, now: datetime) -> None:
        """Fail a job that nobody is there to render: other workers would make other bytes."""
        hours = _ABSENCE // timedelta(hours=1)
        message = f"for {hours} hours there was no worker that computes as {spec.model.numerics.name}"
        self._fail(spec, JobError(code="no_worker", message=message), now)

    def _fail_without_model(self, spec: JobSpec, now: datetime) -> None:
        """Fail a job whose model, or the weights that it is styled by, no live worker has had for a while."""
        styled = " and the weights of VGG19 of its style" if spec.style else ""
        model = f"model {spec.model.name} ({spec.model.sha256[:12]})"
        message = f"for {ABSENCE_SECONDS / 60:.0f} minutes no live worker had the {model}{styled}"
        self._fail(spec, JobError(code="model_unavailable", message=message), now)

    def _fail(self, spec: JobSpec, error: JobError, now: datetime) -> None:
        if end(self._artifacts, self._live, spec, JobState(outcome="failed", started=None, finished=now, error=error)):
            log.warning("job failed job_id=%s code=%s", spec.id, error.code)

    def _looks_lost(self, spec: JobSpec, queued: Queued) -> bool:
        committed = self._artifacts.committed(spec.id)
        self._restore_progress(spec, committed)
        return bool(self._lost(spec, committed, queued(spec.model.numerics.name)))

    def _repair(self, spec: JobSpec, queued: Queued) -> None:
        if self._artifacts.state(spec.id) is not None:
            return
        lost = self._lost(spec, self._artifacts.committed(spec.id), queued(spec.model.numerics.name))
        if lost:
            self._line.enqueue(spec, lost)
            log.warning("lost tasks were queued again job_id=%s tasks=%d", spec.id, len(lost))
            self._live.count("tasks_requeued", by=len(lost))

    def _lost(self, spec: JobSpec, committed: set[int], queued: set[str]) -> list[Task]:
        """Find the tasks that are nowhere, though they should be.

        Only the foremost shard's task brings the next one, when it begins. So of the shards behind the foremost each
        must be waiting, at work or done; and the next one after it, unless it waits itself.
        """
        if len(committed) == spec.shard_count:
            return self._nowhere([Task.finalise(spec.id)], queued)
        tasks = [Task.render_shard(spec.id, shard) for shard in range(spec.shard_count)]
        missing = self._nowhere([task for shard, task in enumerate(tasks) if shard not in committed], queued)
        gone = {task.queue_id for task in missing}
        foremost = max((k for k, task in enumerate(tasks) if task.queue_id not in gone), default=-1)
        lost = [task for task in tasks[: max(foremost, 0)] if task.queue_id in gone]
        has_next = foremost + 1 < spec.shard_count
        if has_next and not (foremost >= 0 and tasks[foremost].queue_id in queued):
            lost.append(Task.render_shard(spec.id, foremost + 1, spec.shard_count))
        return lost

    def _nowhere(self, tasks: list[Task], queued: set[str]) -> list[Task]:
        """Pick the tasks that neither wait nor are worked at."""
        absent = [task for task in tasks if task.queue_id not in queued]
        leased = self._line.leased(task.queue_id for task in absent)
        return [task for task in absent if task.queue_id not in leased]

    def _restore_progress(self, spec: JobSpec, committed: set[int]) -> None:
        known = self._live.progress(spec.id).images
        full = {shard: len(spec.shard_indices(shard)) for shard in committed}
        gone = {shard: images for shard, images in full.items() if known.get(shard) != images}
        if gone:
            self._live.restore_progress(spec.id, gone)

    def _is_leader(self) -> bool:
        ttl = max(3, int(3 * self._every_seconds))
        if self._redis.set(_LEADER_KEY, self._name, nx=True, ex=ttl):
            return True
        if self._redis.get(_LEADER_KEY) != self._name.encode():
            return False
        self._redis.expire(_LEADER_KEY, ttl)
        return True
