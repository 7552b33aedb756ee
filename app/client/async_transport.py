"""Carries out the steps of operations with `await`."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from typing import Self, TypeVar, cast

import httpx

from app.client.errors import ClientError
from app.client.parsing import connection_error, is_error
from app.client.steps import Emit, Flow, Items, OpenStream, Outcome, Pause, ReadChunk, Request, Result, Step, advance

T = TypeVar("T")
R = TypeVar("R")


class AsyncTransport:
    """Runs operations on one server."""

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[object]], address: str) -> None:
        self.http = http
        self.sleep = sleep
        self.address = address

    async def run(self, operation: Flow[R]) -> R:
        """Run an operation to its end, and return its result."""
        async with _Connection(self) as connection:
            with closing(operation):
                outcome: Outcome | ClientError = None
                while not isinstance(step := advance(operation, outcome), Result):
                    outcome = await connection.perform(cast("Step", step))  # a Flow emits nothing
                return step.value

    async def iterate(self, operation: Items[T]) -> AsyncGenerator[T, None]:
        """Run an operation, and yield the items that it emits."""
        async with _Connection(self) as connection:
            # Also if the caller leaves its loop: the operation then releases its locks and files.
            with closing(operation):
                outcome: Outcome | ClientError = None
                while not isinstance(step := advance(operation, outcome), Result):
                    if isinstance(step, Emit):
                        yield step.value
                        outcome = None
                    else:
                        outcome = await connection.perform(step)


class _Connection:
    """Carries out the steps of one operation. It holds the stream that the operation reads."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._stream = AsyncExitStack()
        self._chunks: AsyncIterator[bytes] = _no_chunks()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()

    async def perform(self, step: Step) -> Outcome | ClientError:
        """Carry out a step. An error is an outcome, since the operation decides what to do about it."""
        try:
            return await self._outcome_of(step)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return connection_error(error, self._transport.address)

    async def _outcome_of(self, step: Step) -> Outcome:
        match step:
            case Request():
                return await self._transport.http.request(**step.options)
            case OpenStream():
                return await self._open(step)
            case ReadChunk():
                return await anext(self._chunks, None)
            case Pause():
                await self._transport.sleep(step.seconds)
                return None

    async def _open(self, step: OpenStream) -> httpx.Response:
        await self._stream.aclose()
        response = await self._stream.enter_async_context(self._transport.http.stream(**step.options))
        if is_error(response):
            await response.aread()
        self._chunks = response.aiter_raw()
        return response


async def _no_chunks() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""
