"""Watches all jobs of an owner for one event stream."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from redis.exceptions import RedisError

from app.jobs.job_reader import JobReader
from app.jobs.notifications import JobNotifications
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError, StoreError

_MIN_INTERVAL_SECONDS = 0.2
"""Minimum interval between two rounds of events. Events of one job within it are sent as one."""
_LOOK_SECONDS = 2.0
"""Interval between two searches for new jobs, because no event says that a job is new."""
_READ_ALL_SECONDS = 10.0
"""Interval between two reads of all open jobs, because events can be lost."""
_MAX_CONCURRENT_READS = 4
"""Reads of all streams of this process at the same time."""

A = TypeVar("A")
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class _Watched:
    """The open jobs that one stream knows."""

    owner: str
    specs: dict[str, JobSpec] = field(default_factory=dict)
    """The open jobs of the owner."""
    others: set[str] = field(default_factory=set)
    """Open jobs that the stream does not report."""
    sent: dict[str, Job] = field(default_factory=dict)
    """The last event of each open job of the owner."""


class OwnerWatcher:
    """Reports the jobs of an owner. The reads use threads of their own."""

    def __init__(self, store: Store, reader: JobReader, notifications: JobNotifications) -> None:
        self._store = store
        self._reader = reader
        self._notifications = notifications
        self._limiter = CapacityLimiter(_MAX_CONCURRENT_READS)

    async def changes(self, owner: str) -> AsyncIterator[Job | list[str]]:
        """Yield each open job, then the list of their ids, then each job that is new or has changed, without an end.

        The stream ends when the service stops. An outage of Redis or the store delays it.
        """
        watched, is_first, clock = _Watched(owner), True, asyncio.get_running_loop().time
        next_look = next_read = clock()
        async with self._notifications.subscribe_to_all() as subscription:
            while not self._notifications.is_closed:
                try:
                    changed = subscription.take() & watched.specs.keys()
                    if clock() >= next_look:
                        next_look = clock() + _LOOK_SECONDS
                        changed |= await self._run(self._look, watched)
                    if clock() >= next_read:
                        next_read = clock() + _READ_ALL_SECONDS
                        changed |= watched.specs.keys()
                    for job_id in sorted(changed, key=lambda each: watched.specs[each].created):
                        if (job := await self._read_change(watched, job_id)) is not None:
                            yield job
                except (RedisError, StoreError, OSError) as error:
                    log.warning("jobs cannot be read, their event stream waits", extra=fields(reason=error))
                    next_read = clock()
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                if is_first:
                    is_first = False
                    yield list(watched.specs)
                await asyncio.sleep(_MIN_INTERVAL_SECONDS)
                await subscription.wait(max(0.0, min(next_look, next_read) - clock()))

    async def _read_change(self, watched: _Watched, job_id: str) -> Job | None:
        """Read a job. Returns None if it is as it was sent."""
        try:
            job = await self._run(self._reader.get_job, watched.specs[job_id])
        except DamagedError:  # the reconciler repairs the job
            return None
        if job == watched.sent.get(job_id):
            return None
        watched.sent[job_id] = job
        if job.done:
            del watched.specs[job_id], watched.sent[job_id]
            watched.others.add(job_id)  # its marker stays for a moment
        return job

    def _look(self, watched: _Watched) -> set[str]:
        """Find new open jobs, and jobs that are not open any more. Returns their ids."""
        found = {job_id for job_id, _ in self._store.jobs.open_jobs()}
        watched.others &= found
        changed = watched.specs.keys() - found
        for job_id in found - watched.others - watched.specs.keys():
            try:
                spec = self._store.jobs.spec(job_id)
            except DamagedError:
                continue
            if spec is None:  # its request is still writing it
                continue
            if spec.owner != watched.owner or spec.is_address:
                watched.others.add(job_id)
                continue
            watched.specs[job_id] = spec
            changed.add(job_id)
        return changed

    async def _run(self, function: Callable[[A], T], argument: A) -> T:
        return await to_thread.run_sync(function, argument, limiter=self._limiter)
