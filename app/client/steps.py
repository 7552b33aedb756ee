"""The steps of which every operation of the client is made. No step does any input or output itself.

An operation is a generator. It yields a step, and receives the outcome of that step. The two clients carry out the
steps, one with blocking calls and one with `await`, so each operation is written once.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Never, TypeAlias, TypeVar, cast

import httpx

from app.client.errors import ClientError

_RESPONSE_SECONDS = 30
"""Longest silence of the server while a response is expected or read."""

T = TypeVar("T")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Request:
    """Send a request and read the whole response. The outcome is an httpx.Response."""

    method: str
    path: str
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    timeout: float = _RESPONSE_SECONDS
    json: object = None
    """The body, as JSON; None without a body."""

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `httpx.Client.request`. Empty ones are left out, since they would change the URL."""
        options = {"method": self.method, "url": self.path, "headers": self.headers, "timeout": self.timeout}
        given = {"params": self.params, "files": self.files, "json": self.json}
        return options | {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class OpenStream:
    """Send a GET request and read the headers of the response. The outcome is an httpx.Response.

    The body of an error is read, too. An operation has one stream at a time: the previous one is closed.
    """

    path: str
    headers: Mapping[str, str]

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `httpx.Client.stream`."""
        return {"method": "GET", "url": self.path, "headers": self.headers, "timeout": _RESPONSE_SECONDS}


@dataclass(frozen=True)
class ReadChunk:
    """Read the next bytes of the open stream. The outcome is None at the end of the body."""


@dataclass(frozen=True)
class Pause:
    """Sleep. The outcome is None."""

    seconds: float


@dataclass(frozen=True)
class Emit(Generic[T_co]):
    """Give one item to the caller of an iterator. The outcome is None."""

    value: T_co


@dataclass(frozen=True)
class Result(Generic[T_co]):
    """The return value of an operation that has ended."""

    value: T_co


Step: TypeAlias = Request | OpenStream | ReadChunk | Pause
Outcome: TypeAlias = httpx.Response | bytes | None

Flow: TypeAlias = Generator[Step | Emit[Never], Outcome, R]
"""An operation that returns R."""
Items: TypeAlias = Generator[Step | Emit[T], Outcome, None]
"""An operation that emits items of the type T."""


def advance(
    operation: Generator[Step | Emit[T], Outcome, R], outcome: Outcome | ClientError
) -> Step | Emit[T] | Result[R]:
    """Give an operation the outcome of its last step, and return its next step. An error is raised inside it."""
    try:
        return operation.throw(outcome) if isinstance(outcome, ClientError) else operation.send(outcome)
    except StopIteration as ended:
        return Result(ended.value)


def send(request: Request | OpenStream) -> Flow[httpx.Response]:
    """Carry out a step whose outcome is a response."""
    return cast("httpx.Response", (yield request))


def read_chunk() -> Flow[bytes | None]:
    """Read the next bytes of the open stream. None at the end of the body."""
    return cast("bytes | None", (yield ReadChunk()))
