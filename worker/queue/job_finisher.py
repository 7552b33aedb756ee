"""Finishes jobs: writes the tail of the archive and the job's state, then settles the job."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Literal

from worker.archive.archive_writer import write_archive
from worker.contracts.choice import ChosenShard
from worker.contracts.job_state import JobError, JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError, StoreError
from worker.errors import AncestorLostError, YieldTooLowError
from worker.queue.heartbeat import Heartbeat

_RENEW_SHARDS = 32
"""Shard indices that are read between two renewals of a lease.

In a distant bucket this takes a few seconds; a lease expires after 15.
"""

_RENEW_SECONDS = 1.0
"""Shortest time between two renewals of a lease while an archive is written."""

log = logging.getLogger(__name__)


class _StoppingError(Exception):
    """The worker stops."""


@dataclass(frozen=True)
class JobFinisher:
    """Writes the ends of jobs. If several workers finish the same job, the first state counts."""

    store: Store
    heartbeat: Heartbeat
    settling_thread: Executor
    """Executor of one thread that settles jobs: it forces them to the disk, and computes checksums of archives."""
    stopping: Event = field(default_factory=Event)

    def succeed(self, task: Task, spec: JobSpec) -> None:
        """Publish the archive and end the job as succeeded. Does nothing if a shard is missing.

        Raises YieldTooLowError if all shards are there, but too few of their images are kept, and AncestorLostError if
        images of an ancestor are gone.
        """
        shards = self._read_shards(task, spec)
        kept = sum(shard.count for shard in shards)
        is_incomplete, last_candidate = kept < spec.n, spec.first + spec.max_candidates - 1
        if is_incomplete and len(shards) < spec.find_piece(spec.own_first).number:
            raise AncestorLostError("a job that holds the beginning of this dataset has lost images")
        if is_incomplete and len(shards) == spec.find_piece(last_candidate).number + 1:
            raise YieldTooLowError(
                f"only {kept} of {spec.n} images were kept out of {spec.max_candidates} candidates, which is the most "
                "that a job may try; ask for fewer images, a larger `keep`, a smaller `distinct` or other classes"
            )
        if is_incomplete:
            return
        with self.heartbeat.counts.timed("closing", spec.style_mode):
            plan = write_archive(self.store, spec, shards, self._renewal(task))
        if self._finish(spec, "succeeded", None):
            log.info("job succeeded", extra=fields(job_id=spec.id, images=spec.n, bytes=plan.size))

    def _renewal(self, task: Task) -> Callable[[], None]:
        """Return a function that renews the lease of a task, at most once a second."""
        renewed = time.monotonic()

        def renew() -> None:
            nonlocal renewed
            if time.monotonic() - renewed > _RENEW_SECONDS:
                renewed = time.monotonic()
                self.heartbeat.renew_lease(task)

        return renew

    def fail(self, spec: JobSpec, error: JobError) -> None:
        """End the job as failed, and stop the workers that render its other shards."""
        self._finish(spec, "failed", error)
        self.heartbeat.cancel_other_shards(spec.id)

    def _read_shards(self, task: Task, spec: JobSpec) -> list[ChosenShard]:
        shards = []
        for shard in self.store.choices.chosen_shards(spec):
            shards.append(shard)
            if len(shards) % _RENEW_SHARDS == 0:
                self.heartbeat.renew_lease(task)
        return shards

    def _finish(self, spec: JobSpec, outcome: Literal["succeeded", "failed"], error: JobError | None) -> bool:
        started = self.heartbeat.start_time(spec.id)
        state = JobState(outcome=outcome, started=started, finished=datetime.now(UTC), error=error)
        is_first = self.store.jobs.finish(spec.id, state)
        if is_first:
            self.heartbeat.counts.count("jobs_ended", outcome)
        self.heartbeat.publish_job_ended(spec.id)
        self.settling_thread.submit(self._settle, spec)
        return is_first

    def _settle(self, spec: JobSpec) -> None:
        # The state is read again, because that of another worker may have been first.
        state = self.store.jobs.state(spec.id)
        if state is not None:
            self.store.jobs.settle(spec, state)
        if state is not None and state.outcome == "succeeded":
            self._save_digest(spec)

    def _save_digest(self, spec: JobSpec) -> None:
        """Store the checksum of an archive, unless the worker stops. The API computes it if it is missing."""
        try:
            plan = self.store.archives.plan(spec.id)
            if plan is not None:
                self.store.archives.compute_digest(spec.id, plan, self._check_not_stopping)
        except _StoppingError:
            return
        except (DamagedError, StoreError, OSError) as error:
            log.warning("checksum of an archive was not computed", extra=fields(job_id=spec.id, reason=error))

    def _check_not_stopping(self) -> None:
        if self.stopping.is_set():
            raise _StoppingError
