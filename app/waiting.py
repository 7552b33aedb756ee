"""Waiting for jobs without polling: until one has ended, or for its next piece of news."""

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from app.bell import LOOK_SECONDS, Bell
from app.errors import unavailable
from app.schemas import Job
from app.service import Service
from worker.contracts.jobs import JobSpec

MAX_WAIT_SECONDS = 60
_PAUSE_SECONDS = 0.1
"""Between two events, so that a fast job does not make thousands of them."""
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.ASCII | re.IGNORECASE)


def preferred_wait(header: str | None) -> int:
    """Read how many seconds a Prefer header wants an answer to wait (RFC 7240, section 4.3), within our limit."""
    match = _WAIT.search(header or "")
    return min(int(match[1]), MAX_WAIT_SECONDS) if match else 0


class Waiting:
    """Watches jobs on behalf of requests."""

    def __init__(self, service: Service, bell: Bell) -> None:
        self._service = service
        self._bell = bell

    async def until_done(self, job_id: str, seconds: float) -> Job:
        """Tell how a job is doing once it has ended, or once the time is up."""
        deadline = asyncio.get_running_loop().time() + seconds
        async with self._bell.listen(job_id, "end") as ear:
            while True:
                job = await run_in_threadpool(self._service.job, job_id)
                left = deadline - asyncio.get_running_loop().time()
                if job.done or left <= 0:
                    return job
                await ear.wait(min(left, LOOK_SECONDS))

    async def image(self, spec: JobSpec) -> tuple[str, bytes]:
        """Read the image of an address and its sha256 once it is there; raises ApiError when that takes too long."""
        deadline = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
        async with self._bell.listen(spec.id, "shard", "end") as ear:
            while (found := await run_in_threadpool(self._service.addressed, spec)) is None:
                if asyncio.get_running_loop().time() > deadline:
                    raise unavailable("not_rendered", f"the image was not rendered within {MAX_WAIT_SECONDS} s")
                await ear.wait()
        return found

    async def news(self, job_id: str) -> AsyncIterator[Job]:
        """Tell how a job is doing whenever that changes, until it has ended."""
        told = None
        async with self._bell.listen(job_id, "progress", "shard", "end") as ear:
            while told is None or not told.done:
                job = await run_in_threadpool(self._service.job, job_id)
                if job != told:
                    yield job
                told = job
                await asyncio.sleep(0 if job.done else _PAUSE_SECONDS)
                await ear.wait(0 if job.done else LOOK_SECONDS)
