"""Downloads: a finished archive in any range, or one that grows while its job is rendered."""

import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

from anyio import sleep
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api import byte_ranges
from app.api.byte_ranges import ByteRange, UnsatisfiableError
from app.api.negotiation import is_known
from app.api.uvicorn_protocol import BREAK_OFF, BreakOff
from app.archive_name import archive_name
from app.errors import ApiError
from app.jobs.notifications import JobNotifications
from app.schemas import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchivePlan, ShardIndex
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError, StoreError

_MEDIA_TYPE = "application/zip"
_GONE_SECONDS = 10
"""Longest wait for the end of a broken connection."""
_UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Lets nginx pass on what there is."""
log = logging.getLogger(__name__)


class BrokenOffError(Exception):
    """A job ended otherwise while its archive was being sent."""


class ArchiveResponse:
    """The archive of one job, as HTTP sends it."""

    def __init__(self, store: Store, bell: JobNotifications, spec: JobSpec, job: Job) -> None:
        self._store = store
        self._bell = bell
        self._spec = spec
        self._etag = etag_of(spec)
        self._headers = {
            "ETag": self._etag,
            "Content-Disposition": f'attachment; filename="{archive_name(job)}"',
            "Cache-Control": "private, no-transform",
        }

    async def whole(self, plan: ArchivePlan, request: Request) -> Response:
        """Answer for a finished archive: whole, a range, nothing new, or no such range.

        The first bytes are read before the answer begins. Raises DamagedError or StoreError when they cannot be.
        """
        headers = {**self._headers, "Accept-Ranges": "bytes"}
        if is_known(self._etag, request):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        try:
            part = byte_ranges.parse(self._wanted(request), plan.size)
        except UnsatisfiableError as error:
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            detail = f"the archive has {plan.size} bytes, none of which were asked for"
            length = {"Content-Range": f"bytes */{plan.size}"}
            raise ApiError(status, "no_such_range", detail, headers=length) from error
        partial = {"Content-Range": part.content_range} if part else {}
        part = part or ByteRange(0, plan.size, plan.size)
        headers |= {"Content-Length": str(part.length), **partial}
        status = HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=_MEDIA_TYPE)
        body = self._store.archives.stream(plan, part.start, part.stop)
        first = await anext(body)
        return _Breakable(_chained(first, body), status, headers, _MEDIA_TYPE)

    def growing(self, request: Request) -> Response:
        """Answer for an archive whose job still runs: its length is not known yet, its bytes are."""
        body = _nothing() if request.method == "HEAD" else self._grow()
        return _Breakable(body, headers=self._headers | _UNBUFFERED, media_type=_MEDIA_TYPE)

    def _wanted(self, request: Request) -> str | None:
        condition = request.headers.get("If-Range")
        is_meant = request.method == "GET" and condition in (None, self._etag)
        return request.headers.get("Range") if is_meant else None

    async def _grow(self) -> AsyncIterator[bytes]:
        async with self._bell.subscribe(self._spec.id, "shard", "end") as ear:
            for number in range(self._spec.shard_count):
                while (shard := await self._look(number)) is None:
                    await ear.wait()
                async for chunk in self._store.shards.stream(shard):
                    yield chunk
            while (plan := await self._plan()) is None:
                await ear.wait()
        async for chunk in self._store.archives.stream(plan, plan.size - plan.parts[-1].size, plan.size):
            yield chunk

    async def _look(self, number: int) -> ShardIndex | None:
        shard = await run_in_threadpool(self._store.shards.index, self._spec.id, number)
        if shard is None and await self._has_succeeded():
            shard = await run_in_threadpool(self._store.shards.index, self._spec.id, number)
            if shard is None:
                raise DamagedError(f"shard {number} of job {self._spec.id} is gone")
        return shard

    async def _plan(self) -> ArchivePlan | None:
        plan = await run_in_threadpool(self._store.archives.plan, self._spec.id)
        if plan is None and await self._has_succeeded():
            plan = await run_in_threadpool(self._store.archives.plan, self._spec.id)
            if plan is None:
                raise DamagedError(f"the archive of job {self._spec.id} is gone")
        return plan

    async def _has_succeeded(self) -> bool:
        """Tell whether the job has ended well. Raises BrokenOffError when it has ended otherwise."""
        state = await run_in_threadpool(self._store.jobs.state, self._spec.id)
        if state is not None and state.outcome != "succeeded":
            raise BrokenOffError(f"job {self._spec.id} has {state.outcome}")
        return state is not None


class _Breakable(StreamingResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body; when it breaks off, break the connection, so that the client notices."""
        self._break_off: BreakOff | None = scope.get("extensions", {}).get(BREAK_OFF)
        await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the body, until the client is gone."""
        try:
            await super().stream_response(send)
        except (BrokenOffError, DamagedError, StoreError) as error:
            log.warning("download was broken off reason=%s", error)
            if self._break_off is not None:
                self._break_off()
                await sleep(_GONE_SECONDS)  # the end of the connection cancels this


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def etag_of(spec: JobSpec) -> str:
    """Make the ETag of a job's archive, which is the same bytes for ever."""
    return f'"{spec.id}"'
