"""Waits for jobs on behalf of requests: until a job has ended, an image is rendered, or a job changes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from redis.exceptions import RedisError

from app.errors import unavailable
from app.jobs.job_service import JobService
from app.jobs.notifications import LOOK_SECONDS, JobNotifications
from app.schemas import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store_errors import StoreError

MAX_WAIT_SECONDS = 60
_PAUSE_SECONDS = 0.1
"""Minimum interval between two changes, so that a fast job does not send thousands of them."""
_LOOKING = 8
"""Waiting requests that may read the store at the same time. They leave threads to requests that do not wait."""
A = TypeVar("A")
T = TypeVar("T")
IsGone = Callable[[], Awaitable[bool]]
"""Returns whether the client has disconnected."""
log = logging.getLogger(__name__)


class JobWatcher:
    """Reads jobs when they change. The reads use threads of their own."""

    def __init__(self, service: JobService, bell: JobNotifications) -> None:
        self._service = service
        self._bell = bell
        self._looking = CapacityLimiter(_LOOKING)

    async def until_done(self, spec: JobSpec, seconds: float, is_gone: IsGone) -> Job:
        """Return the job once it has ended, the time is up, the client has disconnected or the service stops."""
        deadline = asyncio.get_running_loop().time() + seconds
        async with self._bell.listen(spec.id, "end") as ear:
            while True:
                job = await self._look(self._service.job, spec)
                left = deadline - asyncio.get_running_loop().time()
                if job.done or left <= 0 or self._bell.is_closed or await is_gone():
                    return job
                await ear.wait(min(left, LOOK_SECONDS))

    async def image(self, spec: JobSpec, is_gone: IsGone) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of the image of a one-image job once it is rendered.

        Raises ApiError if that takes longer than `MAX_WAIT_SECONDS`.
        """
        deadline = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
        async with self._bell.listen(spec.id, "shard", "end") as ear:
            while (found := await self._look(self._service.addressed, spec)) is None:
                if self._bell.is_closed or asyncio.get_running_loop().time() > deadline or await is_gone():
                    raise unavailable(
                        "not_rendered", f"the image was not rendered within {MAX_WAIT_SECONDS} s, or the service stops"
                    )
                await ear.wait()
        return found

    async def news(self, spec: JobSpec) -> AsyncIterator[Job]:
        """Yield the job whenever it has changed, until it has ended. An outage of Redis or the store delays this."""
        told, is_heard = None, True
        async with self._bell.listen(spec.id, "progress", "shard", "end") as ear:
            while told is None or not told.done:
                try:
                    job, is_heard = await self._look(self._service.job, spec), True
                except (RedisError, StoreError, OSError) as error:
                    if is_heard:
                        log.warning("there is no news just now job_id=%s reason=%s", spec.id, error)
                    is_heard = False
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                if job != told:
                    yield job
                told = job
                await asyncio.sleep(0 if job.done else _PAUSE_SECONDS)
                await ear.wait(0 if job.done else LOOK_SECONDS)

    async def _look(self, look: Callable[[A], T], what: A) -> T:
        return await to_thread.run_sync(look, what, limiter=self._looking)
