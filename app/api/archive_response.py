"""Sends archives: a finished one in any byte range, or one that is streamed while its job is rendered."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import byte_ranges
from app.api.abortable_response import AbortableResponse, BrokenOffError
from app.api.byte_ranges import ByteRange, UnsatisfiableError
from app.api.negotiation import matches_if_none_match
from app.api.services import Services
from app.archive_name import archive_name, archive_suffix
from app.errors import ApiError
from app.jobs.notifications import JobNotifications, Subscription
from app.schemas.responses import Job
from worker.contracts.formats import Format, Packing
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Piece
from worker.contracts.slices import is_certainly_stored
from worker.contracts.store.archive_index import ArchiveDigest, ArchivePlan
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_MEDIA_TYPES = {"tar": "application/x-tar"}
"""Media types of archives by suffix. All others are ZIP files."""
_UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Tells nginx to forward each part of the response at once."""

T = TypeVar("T")


class ArchiveResponse:
    """Builds the HTTP response with the archive of one job."""

    def __init__(self, store: Store, notifications: JobNotifications, spec: JobSpec, job: Job) -> None:
        self._store = store
        self._notifications = notifications
        self._spec = spec
        self._etag = archive_etag(spec)
        self._media_type = archive_media_type(spec.format, spec.packing)
        self._headers = {
            "ETag": self._etag,
            "Content-Disposition": f'attachment; filename="{archive_name(job)}"',
            "Cache-Control": "private, no-transform",
        }

    async def finished(self, plan: ArchivePlan, request: Request, digest: ArchiveDigest | None) -> Response:
        """Return a response with status 200, 206 or 304 for a finished archive.

        It has the checksum of the whole archive if that is known.

        The first bytes are read before the response starts, so that an unreadable archive has an error status.
        Raises DamagedError or StoreError for such an archive, and ApiError 416 for a range outside the archive.
        """
        headers = {**self._headers, "Accept-Ranges": "bytes"}
        if matches_if_none_match(self._etag, request):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        part = self._requested_range(request, plan.size)
        range_headers = {"Content-Range": part.content_range} if part else {}
        status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
        part = part or ByteRange(0, plan.size, plan.size)
        headers |= {"Content-Length": str(part.length), **range_headers, **_digest_header(plan, digest)}
        if request.method == "HEAD":  # the headers are complete, so the store need not be read
            return Response(status_code=status, headers=headers, media_type=self._media_type)
        body = self._store.archives.stream(plan, part.start, part.stop)
        first = await anext(body)
        return AbortableResponse(_prepend(first, body), status, headers, self._media_type)

    def streaming(self, request: Request) -> Response:
        """Return a response that streams the archive while its job runs. It has no Content-Length."""
        body = _empty_body() if request.method == "HEAD" else self._stream_while_running()
        return AbortableResponse(body, headers=self._headers | _UNBUFFERED, media_type=self._media_type)

    def _requested_range(self, request: Request, size: int) -> ByteRange | None:
        condition = request.headers.get("If-Range")
        # If-Range with another ETag asks for the whole archive (RFC 9110, section 13.1.5).
        is_valid = request.method == "GET" and condition in (None, self._etag)
        try:
            return byte_ranges.parse(request.headers.get("Range") if is_valid else None, size)
        except UnsatisfiableError as error:
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            detail = f"Range: the archive has {size} bytes, none of them in this range"
            length = {"Content-Range": f"bytes */{size}"}
            raise ApiError(status, "no_such_range", detail, headers=length) from error

    async def _stream_while_running(self) -> AsyncIterator[bytes]:
        job_id = self._spec.id
        async with self._notifications.subscribe(job_id, "shard", "end") as subscription:
            sent, missing, pieces = 0, self._spec.n, self._spec.pieces()
            piece: Piece | None = next(pieces)
            while piece and missing:  # a job with a selection has all its images before its last possible shard
                find_shard = partial(self._store.choices.chosen_shard, self._spec, piece)
                shard = await self._wait_for(find_shard, f"shard {piece.shard}", subscription)
                next_piece = next(pieces, None)
                if not is_certainly_stored(self._spec, shard, next_piece):
                    break  # the rest is known when the job ends
                async for chunk in self._store.archives.stream_parts(shard.parts()):
                    yield chunk
                sent += sum(part.size for part in shard.parts())
                missing -= shard.count
                piece = next_piece
            plan = await self._wait_for(partial(self._store.archives.plan, job_id), "the archive", subscription)
        async for chunk in self._store.archives.stream(plan, sent, plan.size):
            yield chunk

    async def _wait_for(self, find: Callable[[], T | None], name: str, subscription: Subscription) -> T:
        """Return the result of `find` as soon as it is not None.

        Raises DamagedError if the job has succeeded without it, and BrokenOffError if the job ended in another way.
        """
        while (found := await run_in_threadpool(find)) is None and not await self._has_succeeded():
            await subscription.wait()
        if found is None:  # the job may have ended just after the search, so only another one proves the damage
            found = await run_in_threadpool(find)
        if found is None:
            raise DamagedError(f"{name} of job {self._spec.id} is gone")
        return found

    async def _has_succeeded(self) -> bool:
        """Return whether the job has succeeded. Raises BrokenOffError if it failed or was cancelled."""
        state = await run_in_threadpool(self._store.jobs.state, self._spec.id)
        if state is not None and state.outcome != "succeeded":
            raise BrokenOffError(f"job {self._spec.id} ended as {state.outcome}")
        return state is not None


async def archive_response(services: Services, spec: JobSpec, request: Request, running: Job | None = None) -> Response:
    """Return a response with the archive of a job.

    `running` is the job if the caller has just read that it runs, which saves a second read. Raises ApiError.
    """
    if running:
        return ArchiveResponse(services.store, services.notifications, spec, running).streaming(request)
    # The checksum is read at the same time, so that a distant bucket delays the response no longer.
    (job, plan), digest = await asyncio.gather(
        run_in_threadpool(services.jobs.reader.find_archive, spec),
        run_in_threadpool(services.store.archives.digest, spec.id),
    )
    archive = ArchiveResponse(services.store, services.notifications, spec, job)
    return archive.streaming(request) if plan is None else await archive.finished(plan, request, digest)


def _digest_header(plan: ArchivePlan, digest: ArchiveDigest | None) -> dict[str, str]:
    """Return the header Repr-Digest (RFC 9530) with the checksum of the whole archive, if it is known."""
    if digest is None or digest.size != plan.size:
        return {}
    return {"Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(digest.sha256)).decode()}:"}


async def _prepend(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _empty_body() -> AsyncIterator[bytes]:
    for _ in ():  # the `yield` makes this a generator, although it never runs
        yield b""


def archive_media_type(image_format: Format, packing: Packing) -> str:
    """Return the media type of an archive."""
    return _MEDIA_TYPES.get(archive_suffix(image_format, packing), "application/zip")


def archive_etag(spec: JobSpec) -> str:
    """Return the ETag of a job's archive. The job's id suffices, because the bytes of an archive never change."""
    return f'"{spec.id}"'
