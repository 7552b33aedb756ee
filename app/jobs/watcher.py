"""Waits for jobs on behalf of requests: until a job has ended, an image is rendered, or a job changes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from redis.exceptions import RedisError

from app.errors import unavailable
from app.jobs.job_reader import JobReader
from app.jobs.notifications import POLL_SECONDS, JobNotifications
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.store.store_errors import StoreError

MAX_WAIT_SECONDS = 60
_MIN_INTERVAL_SECONDS = 0.1
"""Minimum interval between two changes, so that a fast job does not send thousands of them."""
_MAX_CONCURRENT_READS = 8
"""Waiting requests that may read the store at the same time. They leave threads to requests that do not wait."""
A = TypeVar("A")
T = TypeVar("T")
IsDisconnected = Callable[[], Awaitable[bool]]
"""Returns whether the client has disconnected."""
log = logging.getLogger(__name__)


class JobWatcher:
    """Reads jobs when they change. The reads use threads of their own."""

    def __init__(self, reader: JobReader, notifications: JobNotifications) -> None:
        self._reader = reader
        self._notifications = notifications
        self._limiter = CapacityLimiter(_MAX_CONCURRENT_READS)

    async def wait_until_done(self, spec: JobSpec, seconds: float, is_disconnected: IsDisconnected) -> Job:
        """Return the job once it has ended, the time is up, the client has disconnected or the service stops."""
        deadline = asyncio.get_running_loop().time() + seconds
        async with self._notifications.subscribe(spec.id, "end") as subscription:
            while True:
                job = await self._read(self._reader.get_job, spec)
                left = deadline - asyncio.get_running_loop().time()
                if job.done or await self._is_over(left, is_disconnected):
                    return job
                await subscription.wait(min(left, POLL_SECONDS))

    async def wait_for_image(self, spec: JobSpec, is_disconnected: IsDisconnected) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of the image of a one-image job once it is rendered.

        Raises ApiError if that takes longer than `MAX_WAIT_SECONDS`.
        """
        deadline = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
        async with self._notifications.subscribe(spec.id, "shard", "end") as subscription:
            while (found := await self._read(self._reader.read_image, spec)) is None:
                if await self._is_over(deadline - asyncio.get_running_loop().time(), is_disconnected):
                    detail = f"the image was not rendered within {MAX_WAIT_SECONDS} s, or the service stopped"
                    raise unavailable("not_rendered", detail)
                await subscription.wait()
        return found

    async def _is_over(self, left_seconds: float, is_disconnected: IsDisconnected) -> bool:
        """Return whether a request must stop waiting, although its job has not ended."""
        return left_seconds <= 0 or self._notifications.is_closed or await is_disconnected()

    async def changes(self, spec: JobSpec) -> AsyncIterator[Job]:
        """Yield the job whenever it has changed, until it has ended. An outage of Redis or the store delays this."""
        last, is_readable = None, True
        async with self._notifications.subscribe(spec.id, "progress", "shard", "end") as subscription:
            while last is None or not last.done:
                try:
                    job, is_readable = await self._read(self._reader.get_job, spec), True
                except (RedisError, StoreError, OSError) as error:
                    if is_readable:  # log an outage once, not at every poll
                        log.warning(
                            "job cannot be read, its event stream waits", extra=fields(job_id=spec.id, reason=error)
                        )
                    is_readable = False
                    await asyncio.sleep(POLL_SECONDS)
                    continue
                if job != last:
                    yield job
                last = job
                # Events of the next 0.1 s are collected: they set the subscription's event, and then the wait returns.
                await asyncio.sleep(0 if job.done else _MIN_INTERVAL_SECONDS)
                await subscription.wait(0 if job.done else POLL_SECONDS)

    async def _read(self, read: Callable[[A], T], argument: A) -> T:
        return await to_thread.run_sync(read, argument, limiter=self._limiter)
