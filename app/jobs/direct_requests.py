"""Sends direct requests to workers: requests for one image or a preview, which need no job and no file."""

import asyncio
import logging
from collections import Counter, defaultdict
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple, cast
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.errors import ApiError, unavailable
from app.jobs.watcher import IsDisconnected
from worker.contracts.catalog import CatalogEntry
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.previews import Preview
from worker.contracts.queue.direct_requests import DirectReply, DirectRequest
from worker.contracts.queue.redis_keys import direct_list_key, direct_replies_key, direct_request_key
from worker.contracts.throttled_log import ThrottledLogger

_DEADLINE_SECONDS = 30
"""Longest time that a request waits for its image."""
_REPEAT_SECONDS = 5
"""Time after which a request without a reply is sent again, because its worker may have died."""
_MAX_IN_PROGRESS = 16
"""Requests of one owner that this process has sent and that are not answered. The others wait for them.

It keeps the workers busy, and delays the requests of other owners by this number of images at most.
"""
_MAX_WAITING_OF_OWNER = 500
_MAX_WAITING = 1000
"""Requests that wait in this process. Each one holds a connection and some memory."""
_MAX_LISTED = 1000
"""Requests of all API processes that wait for the workers of one model."""
_MAX_CONNECTIONS = 8
"""Connections that send requests at the same time."""
_POLL_SECONDS = 1.0
"""Interval between two checks whether a client has disconnected."""
_BLOCK_SECONDS = 1
"""Time that the read of replies blocks. It is shorter than the timeout of the connection."""
_RECONNECT_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 5

log = logging.getLogger(__name__)


class _Outgoing(NamedTuple):
    """A request for the workers of one model."""

    model: CatalogEntry
    request: DirectRequest
    deadline_seconds: int

    @property
    def list_key(self) -> str:
        """Key of the list from which the workers of the model take requests."""
        return direct_list_key(self.model.numerics.name, self.model.sha256)


class DirectRequests:
    """The direct requests of one API process. One connection receives all their replies."""

    def __init__(self, redis: Redis, deadline_seconds: int = _DEADLINE_SECONDS) -> None:
        self._redis = redis
        self._deadline_seconds = deadline_seconds
        self._process_id = uuid4().hex
        self._replies = dict[str, asyncio.Future[tuple[DirectReply, bytes]]]()
        """Replies that requests wait for, by the id of the request."""
        self._waiting = Counter[str]()
        """Number of waiting requests of each owner."""
        self._in_progress = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(_MAX_IN_PROGRESS))
        self._connections = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._is_closed = False
        self._throttled_log = ThrottledLogger(log)

    async def send(
        self, spec: JobSpec, owner: str, is_disconnected: IsDisconnected, deadline_seconds: int | None = None
    ) -> tuple[str, bytes]:
        """Let a worker render the image of a one-image job. Returns its sha256 and its bytes.

        Raises ApiError if too many requests wait, rendering fails, or no worker replies before the deadline, which is
        that of this object by default.
        """
        request = DirectRequest(process_id=self._process_id, spec=spec.model_dump_json())
        outgoing = _Outgoing(spec.model, request, deadline_seconds or self._deadline_seconds)
        return await self._exchange(outgoing, owner, is_disconnected)

    async def send_preview(
        self, preview: Preview, owner: str, is_disconnected: IsDisconnected, deadline_seconds: int
    ) -> tuple[str, bytes]:
        """Let a worker draw a preview. Returns the sha256 and the bytes of its JPEG. Raises ApiError like `send`."""
        request = DirectRequest(process_id=self._process_id, spec="", preview=preview.model_dump_json())
        return await self._exchange(_Outgoing(preview.model, request, deadline_seconds), owner, is_disconnected)

    async def _exchange(self, outgoing: "_Outgoing", owner: str, is_disconnected: IsDisconnected) -> tuple[str, bytes]:
        if self._waiting[owner] >= _MAX_WAITING_OF_OWNER or self._waiting.total() >= _MAX_WAITING:
            raise unavailable("busy", f"{self._waiting.total()} requests for single images wait already")
        self._waiting[owner] += 1
        seconds = outgoing.deadline_seconds
        try:
            async with asyncio.timeout(seconds), self._in_progress[owner]:
                head, image = await self._send(outgoing, is_disconnected)
        except TimeoutError as error:
            raise _not_rendered(f"no worker has rendered the image within {seconds} s") from error
        finally:
            self._waiting[owner] -= 1
        if head.error is not None:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise ApiError(status, head.error.code, head.error.message, retry_after_seconds=_RETRY_AFTER_SECONDS)
        return head.sha256, image

    async def _send(self, outgoing: "_Outgoing", is_disconnected: IsDisconnected) -> tuple[DirectReply, bytes]:
        request_id = uuid4().hex
        reply: asyncio.Future[tuple[DirectReply, bytes]] = asyncio.get_running_loop().create_future()
        self._replies[request_id] = reply
        try:
            await self._push(request_id, outgoing)
            await self._wait(reply, _REPEAT_SECONDS, is_disconnected)
            if not reply.done():
                # The same id: a reply of the first worker counts as well, if it is only slow.
                await self._push(request_id, outgoing)
                await self._wait(reply, outgoing.deadline_seconds, is_disconnected)
            if not reply.done():
                raise TimeoutError
            return reply.result()
        except BaseException:
            await self._withdraw(request_id, outgoing.list_key)
            raise
        finally:
            del self._replies[request_id]

    async def _wait(
        self, reply: "asyncio.Future[tuple[DirectReply, bytes]]", seconds: float, is_disconnected: IsDisconnected
    ) -> None:
        """Wait for a reply, for some seconds at most. Raises ApiError when the client has disconnected."""
        until = asyncio.get_running_loop().time() + seconds
        while not reply.done() and asyncio.get_running_loop().time() < until:
            await asyncio.wait([reply], timeout=_POLL_SECONDS)
            if not reply.done() and await is_disconnected():
                raise _not_rendered("the client has disconnected")

    async def _push(self, request_id: str, outgoing: "_Outgoing") -> None:
        if self._is_closed:
            raise _stopped()
        seconds, list_key = outgoing.deadline_seconds, outgoing.list_key
        async with self._connections, self._redis.pipeline() as pipeline:
            pipeline.set(direct_request_key(request_id), outgoing.request.model_dump_json(), ex=seconds)
            pipeline.rpush(list_key, request_id)
            pipeline.expire(list_key, self._deadline_seconds)
            _, length, _ = await pipeline.execute()
        if length > _MAX_LISTED:
            raise unavailable("busy", f"{length - 1} requests for single images of {outgoing.model.name} wait already")

    async def _withdraw(self, request_id: str, list_key: str) -> None:
        """Remove a request that has ended without a reply, so that no worker renders it."""
        with suppress(RedisError):  # it expires
            async with self._connections, self._redis.pipeline() as pipeline:
                pipeline.delete(direct_request_key(request_id))
                pipeline.lrem(list_key, 0, request_id)
                await pipeline.execute()

    def close(self) -> None:
        """End all waiting requests, because the process ends."""
        self._is_closed = True
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(_stopped())

    async def run(self) -> None:
        """Receive replies until cancelled."""
        task = asyncio.current_task()
        try:
            # Checked, because asyncio.wait_for of Python 3.11, which Redis' client uses, can swallow the cancellation.
            while task is not None and not task.cancelling():
                try:
                    await self._receive()
                except Exception as error:  # this task must never end, whatever a broken connection raises
                    self._throttled_log.warning("replies cannot be received", extra=fields(reason=error))
                    await asyncio.sleep(_RECONNECT_SECONDS)
        finally:
            await self._redis.aclose()

    async def _receive(self) -> None:
        found = await self._redis.blpop([direct_replies_key(self._process_id)], _BLOCK_SECONDS)
        unpacked = None if found is None else DirectReply.unpack(cast(bytes, found[1]))
        if unpacked is None:
            return
        reply = self._replies.get(unpacked[0].id)
        if reply is not None and not reply.done():  # otherwise its request has ended, or this is its second reply
            reply.set_result(unpacked)


def _not_rendered(detail: str) -> ApiError:
    return unavailable("not_rendered", detail)


def _stopped() -> ApiError:
    return _not_rendered("the service stops")
