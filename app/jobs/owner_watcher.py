"""Watches all jobs of an owner for one event stream."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Set
from contextlib import suppress
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
    store: Store
    specs: dict[str, JobSpec] = field(default_factory=dict)
    """The open jobs of the owner."""
    others: set[str] = field(default_factory=set)
    """Open jobs that the stream does not report."""
    sent: dict[str, Job] = field(default_factory=dict)
    """The last event of each open job of the owner."""

    def look(self) -> set[str]:
        """Find new open jobs, and jobs that are not open any more. Returns their ids."""
        found = {job_id for job_id, _ in self.store.jobs.open_jobs()}
        self.others &= found
        return (self.specs.keys() - found) | (self.add(found) - self.sent.keys())

    def add(self, job_ids: Set[str]) -> set[str]:
        """Add new jobs of the owner. Returns which of the jobs are the owner's."""
        for job_id in job_ids - self.others - self.specs.keys():
            with suppress(DamagedError):
                spec = self.store.jobs.spec(job_id)
                if spec is not None and spec.owner == self.owner and not spec.is_address:
                    self.specs[job_id] = spec
                elif spec is not None:  # otherwise its request is still writing it
                    self.others.add(job_id)
        return job_ids & self.specs.keys()

    def close(self, job_id: str) -> None:
        """Forget a job that has ended."""
        del self.specs[job_id], self.sent[job_id]
        self.others.add(job_id)  # its marker stays for a moment


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
        watched, is_first, clock = _Watched(owner, self._store), True, asyncio.get_running_loop().time
        next_look = next_read = clock()
        async with self._notifications.subscribe_to_all() as subscription:
            while not self._notifications.is_closed:
                try:
                    changed = await self._run(watched.add, subscription.take())
                    if clock() >= next_look:
                        next_look = clock() + _LOOK_SECONDS
                        changed |= await to_thread.run_sync(watched.look, limiter=self._limiter)
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
            watched.close(job_id)
        return job

    async def _run(self, function: Callable[[A], T], argument: A) -> T:
        return await to_thread.run_sync(function, argument, limiter=self._limiter)
