"""Sends archives: a finished one in any byte range, or one that is streamed while its job is rendered."""

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
from app.api.negotiation import matches_if_none_match
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
_DISCONNECT_TIMEOUT_SECONDS = 10
"""Longest time to wait until a connection that the server ends is closed."""
_UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Tells nginx to forward each part of the response at once."""
log = logging.getLogger(__name__)


class BrokenOffError(Exception):
    """A job failed or was cancelled while its archive was being sent."""


class ArchiveResponse:
    """Builds the HTTP response with the archive of one job."""

    def __init__(self, store: Store, notifications: JobNotifications, spec: JobSpec, job: Job) -> None:
        self._store = store
        self._notifications = notifications
        self._spec = spec
        self._etag = archive_etag(spec)
        self._headers = {
            "ETag": self._etag,
            "Content-Disposition": f'attachment; filename="{archive_name(job)}"',
            "Cache-Control": "private, no-transform",
        }

    async def finished(self, plan: ArchivePlan, request: Request) -> Response:
        """Return a response with status 200, 206 or 304 for a finished archive.

        The first bytes are read before the response starts, so that an unreadable archive has an error status.
        Raises DamagedError or StoreError for such an archive, and ApiError 416 for a range outside the archive.
        """
        headers = {**self._headers, "Accept-Ranges": "bytes"}
        if matches_if_none_match(self._etag, request):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        try:
            part = byte_ranges.parse(self._range_header(request), plan.size)
        except UnsatisfiableError as error:
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            detail = f"Range: the archive has {plan.size} bytes, none of them in this range"
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
        return _AbortableResponse(_prepend(first, body), status, headers, _MEDIA_TYPE)

    def streaming(self, request: Request) -> Response:
        """Return a response that streams the archive while its job runs. It has no Content-Length."""
        body = _empty_body() if request.method == "HEAD" else self._stream_while_running()
        return _AbortableResponse(body, headers=self._headers | _UNBUFFERED, media_type=_MEDIA_TYPE)

    def _range_header(self, request: Request) -> str | None:
        condition = request.headers.get("If-Range")
        is_valid = request.method == "GET" and condition in (None, self._etag)
        return request.headers.get("Range") if is_valid else None

    async def _stream_while_running(self) -> AsyncIterator[bytes]:
        async with self._notifications.subscribe(self._spec.id, "shard", "end") as subscription:
            for number in range(self._spec.shard_count):
                while (shard := await self._find_shard(number)) is None:
                    await subscription.wait()
                async for chunk in self._store.shards.stream(shard):
                    yield chunk
            while (plan := await self._find_plan()) is None:
                await subscription.wait()
        async for chunk in self._store.archives.stream(plan, plan.size - plan.parts[-1].size, plan.size):
            yield chunk

    async def _find_shard(self, number: int) -> ShardIndex | None:
        shard = await run_in_threadpool(self._store.shards.index, self._spec.id, number)
        # The shard may be committed and the job end between the two reads, so a second read decides.
        if shard is None and await self._has_succeeded():
            shard = await run_in_threadpool(self._store.shards.index, self._spec.id, number)
            if shard is None:
                raise DamagedError(f"shard {number} of job {self._spec.id} is gone")
        return shard

    async def _find_plan(self) -> ArchivePlan | None:
        plan = await run_in_threadpool(self._store.archives.plan, self._spec.id)
        if plan is None and await self._has_succeeded():
            plan = await run_in_threadpool(self._store.archives.plan, self._spec.id)
            if plan is None:
                raise DamagedError(f"the archive of job {self._spec.id} is gone")
        return plan

    async def _has_succeeded(self) -> bool:
        """Return whether the job has succeeded. Raises BrokenOffError if it failed or was cancelled."""
        state = await run_in_threadpool(self._store.jobs.state, self._spec.id)
        if state is not None and state.outcome != "succeeded":
            raise BrokenOffError(f"job {self._spec.id} has {state.outcome}")
        return state is not None


class _AbortableResponse(StreamingResponse):
    """Ends the connection if the body fails."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response. If its body fails, end the connection, so that the client notices the missing part."""
        self._break_off: BreakOff | None = scope.get("extensions", {}).get(BREAK_OFF)
        await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the body until it is complete or the client has disconnected."""
        try:
            await super().stream_response(send)
        except (BrokenOffError, DamagedError, StoreError) as error:
            log.warning("download was broken off reason=%s", error)
            if self._break_off is not None:
                self._break_off()
                await sleep(_DISCONNECT_TIMEOUT_SECONDS)  # the end of the connection cancels this


async def _prepend(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _empty_body() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def archive_etag(spec: JobSpec) -> str:
    """Return the ETag of a job's archive. The job's id suffices, because the bytes of an archive never change."""
    return f'"{spec.id}"'
