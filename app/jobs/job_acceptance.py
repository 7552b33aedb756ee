"""Accepts jobs: reserves disk space and quota, stores the job and queues its first task."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from app.auth.api_keys import Caller
from app.auth.quota import Quota, Usage
from app.cluster.disk_space import DiskSpace
from app.jobs.job_ids import Part, deterministic_id
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store

IsOver = Callable[[JobSpec], bool]
"""Returns whether a job is not usable any more, so that another one must take its place."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job that answers a request."""

    spec: JobSpec
    is_new: bool
    """Whether this request created the job. Otherwise it found the job of an earlier request."""
    usage: Usage | None
    """Open images and jobs of the owner, this job included. None if the owner has no limits or the job was found."""


class JobAcceptance:
    """Stores and queues jobs. Once a method has returned a new job, it is not lost, whichever process dies."""

    def __init__(self, store: Store, queue: TaskQueue, quota: Quota, disk: DiskSpace) -> None:
        self._store = store
        self._queue = queue
        self._quota = quota
        self._disk = disk

    def create(self, spec: JobSpec, caller: Caller) -> Accepted:
        """Accept a job with a random id. If that fails, discard the job, because no later request can find it."""
        with self._disk.reserve(spec):
            try:
                return self._store_and_queue(spec, caller)
            except Exception:
                with suppress(Exception):
                    self._store.jobs.discard(spec.id, datetime.now(UTC))
                raise

    def find_or_create(self, spec: JobSpec, caller: Caller, parts: Sequence[Part], is_over: IsOver) -> Accepted:
        """Return the job whose id is derived from `parts` and a counter, or accept it.

        While the job of a counter value `is_over`, the next value is tried. A job is never reopened. If accepting
        fails, the job stays in the store, because a repeated request finds it and the reconciler queues it.
        """
        attempts = count()
        while True:
            job_id = deterministic_id(*parts, next(attempts))
            known = self._store.jobs.spec(job_id)
            if known is None:
                spec = spec.model_copy(update={"id": job_id, "created": datetime.now(UTC)})
                with self._disk.reserve(spec):
                    return self._store_and_queue(spec, caller)
            if not is_over(known):
                return Accepted(known, is_new=False, usage=None)

    def _store_and_queue(self, spec: JobSpec, caller: Caller) -> Accepted:
        # The lock of the owner is held only until the job is in the store, where the next request counts it.
        with self._quota.reserve(caller, spec.expected_candidates) as usage:
            spec, is_new = self._store.jobs.create(spec)
        if is_new:  # otherwise a simultaneous request with the same id was first, and queues the job
            self._queue.enqueue(spec, [Task.render_shard(spec.id, spec.first_shard, spec.shard_count)])
            self._store.jobs.list.add(spec)
        self._store.jobs.force_to_disk(spec.id)  # last, because workers can start in the meantime
        if is_new:
            accepted = fields(job_id=spec.id, owner=spec.owner, model=spec.model.name, n=spec.n, seed=spec.seed)
            log.info("job accepted", extra=accepted)
        return Accepted(spec, is_new, usage)
