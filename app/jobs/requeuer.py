"""Queues the lost tasks of open jobs again."""

import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.first_seen import FirstSeen
from app.cluster.job_bytes import shard_bytes
from app.jobs.job_isolation import JobIsolation
from app.jobs.lost_tasks import QueueSnapshot, lost_tasks
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.contracts.throttled_log import ThrottledLogger

CONFIRMING_SECONDS = 1.0
"""How long a task must be missing before it is lost. A task on its way from the queue to a lease is missing briefly."""

QueueReader = Callable[[str], set[str]]
"""Returns the RQ ids of the queued tasks for a numerics."""


class _Suspect(NamedTuple):
    """A job that seems to have lost tasks, and its shards as they were before the second read of the queue."""

    spec: JobSpec
    committed: set[int]
    started: set[int]
    """Shards that are being rendered or are committed."""


class Requeuer:
    """Compares open jobs with the queue and the leases. Restores their progress in Redis, too.

    Queueing a task twice is harmless, because leases and commits are exclusive.
    """

    def __init__(
        self,
        store: Store,
        queue: TaskQueue,
        cluster: ClusterState,
        disk: DiskSpace,
        isolation: JobIsolation,
        throttled_log: ThrottledLogger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._queue = queue
        self._cluster = cluster
        self._disk = disk
        self._isolation = isolation
        self._throttled_log = throttled_log
        self._clock = clock
        self._missing_since = FirstSeen()

    def requeue_lost(self, specs: Iterable[JobSpec]) -> bool:
        """Queue again the tasks that have been missing for long enough. Returns whether any task is missing."""
        suspects = self._find_suspects(specs)
        queued = self._queue_reader()  # read again: some tasks have moved since the first read
        missing = list[tuple[JobSpec, list[Task]]]()
        for suspect in suspects:
            with self._isolation.skipping_errors(suspect.spec.id):
                missing.append((suspect.spec, self._find_lost_tasks(suspect, queued)))
        ids = [task.queue_id for _, tasks in missing for task in tasks]
        lost = self._missing_since.observe(ids, CONFIRMING_SECONDS, self._clock())
        for spec, tasks in missing:
            with self._isolation.skipping_errors(spec.id):
                self._requeue(spec, [task for task in tasks if task.queue_id in lost])
        return bool(ids)

    def _find_suspects(self, specs: Iterable[JobSpec]) -> list[_Suspect]:
        queued = self._queue_reader()
        suspects = list[_Suspect]()
        for spec in specs:
            with self._isolation.skipping_errors(spec.id):
                committed = self._store.shards.committed(spec.id)
                suspect = _Suspect(spec, committed, self._restore_progress(spec, committed))
                if self._find_lost_tasks(suspect, queued):
                    suspects.append(suspect)
        return suspects

    def _queue_reader(self) -> QueueReader:
        """Return a function that reads the queue of each numerics only once, however many jobs are open."""
        return cache(self._queue.queued)

    def _find_lost_tasks(self, suspect: _Suspect, queued: QueueReader) -> list[Task]:
        """Return the tasks that are missing now. Reads in the order that QueueSnapshot requires."""
        spec, known = suspect.spec, suspect.committed
        # If the job is complete, the worker that finishes it may hold the lease of any shard.
        is_complete = self._store.choices.is_complete(spec, known)
        shards = [shard for shard in spec.shards if is_complete or shard not in known]
        tasks = [*(Task.render_shard(spec.id, shard) for shard in shards), Task.finalise(spec.id)]
        queued_ids = queued(spec.model.numerics.name)
        leased = self._queue.leased(task.queue_id for task in tasks)
        committed = self._store.shards.committed(spec.id)
        is_complete = self._store.choices.is_complete(spec, committed)
        return lost_tasks(spec, QueueSnapshot(suspect.started, queued_ids, leased, committed, is_complete))

    def _restore_progress(self, spec: JobSpec, committed: set[int]) -> set[int]:
        """Write progress that Redis has lost back to it. Returns the shards that have started."""
        known = self._cluster.progress(spec.id).images
        lost = {
            shard: images
            for shard in committed
            if (images := self._committed_images(spec, shard, known.get(shard))) != known.get(shard)
        }
        if lost:
            self._cluster.restore_progress(spec.id, lost)
        return committed | set(known)

    def _committed_images(self, spec: JobSpec, shard: int, known: int | None) -> int:
        """Return the number of images in a committed shard. `known` is the number in Redis, if it has one."""
        if spec.selection is None:
            return len(spec.shard_indices(shard))
        if known is not None:  # a read of every shard in every round would be slow
            return known
        index = self._store.shards.index(spec.id, shard)
        return len(index.images.sizes) if index else 0

    def _requeue(self, spec: JobSpec, tasks: list[Task]) -> None:
        if not tasks or self._store.jobs.state(spec.id) is not None:
            return
        sizes = (shard_bytes(spec, task.shard) for task in tasks if task.shard is not None)
        # A worker without disk space would give the task back at once.
        if not self._disk.fits(max(sizes, default=0)):
            self._throttled_log.warning(
                "lost tasks wait for free disk space", extra=fields(job_id=spec.id, tasks=len(tasks))
            )
            return
        self._queue.enqueue(spec, tasks)
        # It must be missing for a whole second again before it counts as lost again.
        self._missing_since.forget(task.queue_id for task in tasks)
        self._throttled_log.warning("lost tasks were queued again", extra=fields(job_id=spec.id, tasks=len(tasks)))
        self._cluster.count("tasks_requeued", by=len(tasks))
