"""The blocking client."""

import logging
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import httpx

from app.client.method_signature import documented_by
from app.client.operations import Operations
from app.client.parsing import base_url, key_headers
from app.client.retries import PATIENCE_SECONDS, Retries
from app.client.steps import Flow, Items
from app.client.transport import Transport

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


def _call(operation: Callable[Concatenate[Operations, P], Flow[R]]) -> Callable[Concatenate["Client", P], R]:
    """Return a method that runs an operation and returns its result."""

    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return client._transport.run(operation(client._operations, *args, **kwargs))

    return documented_by(operation, method)


def _iteration(
    operation: Callable[Concatenate[Operations, P], Items[T]],
) -> Callable[Concatenate["Client", P], Iterator[T]]:
    """Return a method that yields the items of an operation."""

    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return client._transport.iterate(operation(client._operations, *args, **kwargs))

    return documented_by(operation, method)


class Client:
    """A client of one Imagemill service. Each method blocks until it has its result.

    `server` is the address of the service, and `key` an API key if the service needs one. Requests are repeated for
    `patience_seconds` while the service is away or busy. `notify` gets a sentence when the client has to wait.
    Threads may share a client.
    """

    def __init__(
        self,
        server: str,
        key: str | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        notify: Callable[[str], object] = log.info,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.server = server
        self._http = httpx.Client(base_url=base_url(server), headers=key_headers(key))
        self._transport = Transport(self._http, sleep, server)
        self._operations = Operations(server, Retries(patience_seconds, notify))

    def __enter__(self) -> Self:
        """Keep connections open until the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

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
