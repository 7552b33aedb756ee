"""The client for asyncio (and trio)."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import anyio
import httpx

from app.client.async_transport import AsyncTransport
from app.client.method_signature import documented_by
from app.client.operations import Operations
from app.client.parsing import base_url, key_headers
from app.client.retries import PATIENCE_SECONDS, Retries
from app.client.steps import Flow, Items

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


def _call(
    operation: Callable[Concatenate[Operations, P], Flow[R]],
) -> Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, R]]:
    """Return a coroutine method that runs an operation and returns its result."""

    async def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await client._transport.run(operation(client._operations, *args, **kwargs))

    return documented_by(operation, method)


def _iteration(
    operation: Callable[Concatenate[Operations, P], Items[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncGenerator[T, None]]:
    """Return a method whose asynchronous iterator yields the items of an operation."""

    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return client._transport.iterate(operation(client._operations, *args, **kwargs))

    return documented_by(operation, method)


class AsyncClient:
    """A client of one Imagemill service. It has the methods of `Client`, as coroutines and asynchronous iterators.

    `download` writes to the disk between two chunks, without a thread: each write is small.
    """

    def __init__(
        self,
        server: str,
        key: str | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        notify: Callable[[str], object] = log.info,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self.server = server
        self._http = httpx.AsyncClient(base_url=base_url(server), headers=key_headers(key))
        self._transport = AsyncTransport(self._http, sleep, server)
        self._operations = Operations(server, Retries(patience_seconds, notify))

    async def __aenter__(self) -> Self:
        """Keep connections open until the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    generate = _call(Operations.generate)
    estimate = _call(Operations.estimate)
    job = _call(Operations.job)
    jobs = _iteration(Operations.jobs)
    wait = _call(Operations.wait)
    follow = _iteration(Operations.follow)
    download = _call(Operations.download)
    write_archive = _call(Operations.write_archive)
    images = _iteration(Operations.images)
    image = _call(Operations.image)
    point_image = _call(Operations.point_image)
    cancel = _call(Operations.cancel)
    delete = _call(Operations.delete)
    retry = _call(Operations.retry)
    rebuild = _call(Operations.rebuild)
    extend = _call(Operations.extend)
    curate = _call(Operations.curate)
    models = _call(Operations.models)
    styles = _call(Operations.styles)
    upload_style = _call(Operations.upload_style)
    delete_style = _call(Operations.delete_style)
    verify = _call(Operations.verify)
