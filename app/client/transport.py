"""Carries out the steps of operations with blocking calls."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from typing import Self, TypeVar, cast

import httpx

from app.client.errors import ClientError
from app.client.parsing import connection_error, is_error
from app.client.steps import Emit, Flow, Items, OpenStream, Outcome, Pause, ReadChunk, Request, Result, Step, advance

T = TypeVar("T")
R = TypeVar("R")


class Transport:
    """Runs operations on one server."""

    def __init__(self, http: httpx.Client, sleep: Callable[[float], object], address: str) -> None:
        self.http = http
        self.sleep = sleep
        self.address = address

    def run(self, operation: Flow[R]) -> R:
        """Run an operation to its end, and return its result."""
        with _Connection(self) as connection, closing(operation):
            outcome: Outcome | ClientError = None
            while not isinstance(step := advance(operation, outcome), Result):
                outcome = connection.perform(cast("Step", step))  # a Flow emits nothing
            return step.value

    def iterate(self, operation: Items[T]) -> Generator[T, None, None]:
        """Run an operation, and yield the items that it emits."""
        with _Connection(self) as connection, closing(operation):
            outcome: Outcome | ClientError = None
            while not isinstance(step := advance(operation, outcome), Result):
                if isinstance(step, Emit):
                    yield step.value
                    outcome = None
                else:
                    outcome = connection.perform(step)


class _Connection:
    """Carries out the steps of one operation. It holds the stream that the operation reads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._stream = ExitStack()
        self._chunks: Iterator[bytes] = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def perform(self, step: Step) -> Outcome | ClientError:
        """Carry out a step. An error is an outcome, since the operation decides what to do about it."""
        try:
            return self._outcome_of(step)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return connection_error(error, self._transport.address)

    def _outcome_of(self, step: Step) -> Outcome:
        match step:
            case Request():
                return self._transport.http.request(**step.options)
            case OpenStream():
                return self._open(step)
            case ReadChunk():
                return next(self._chunks, None)
            case Pause():
                self._transport.sleep(step.seconds)
                return None

    def _open(self, step: OpenStream) -> httpx.Response:
        self._stream.close()  # a broken response that was read in part still holds its connection
        response = self._stream.enter_context(self._transport.http.stream(**step.options))
        if is_error(response):
            response.read()
        # Raw, because the sizes and ranges of a download count the bytes on the wire.
        self._chunks = response.iter_raw()
        return response
