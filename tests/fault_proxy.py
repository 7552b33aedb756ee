"""A proxy before an S3 server, that fails as networks and busy servers do."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tests.relay import Relay

Fault = Literal[
    "none",
    "503 after storing",
    "409 without storing",
    "reset after storing",
    "some 503",
    "all 503",
    "all 403",
    "cut answers",
]
_LONG_BYTES = 50_000
"""Of an answer that `cut answers` cuts in half."""
_SHARE = 0.3
"""Of requests that `some 503` refuses."""
_ENDS = (asyncio.IncompleteReadError, ConnectionError)


@dataclass(frozen=True)
class _Message:
    """A request or an answer: its head, and its body as it was framed."""

    head: bytes
    body: bytes

    @property
    def first(self) -> list[str]:
        return self.head.split(b"\r\n", 1)[0].decode().split(" ")

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            found, _, value = line.partition(":")
            if found.lower() == name:
                return value.strip()
        return None


class FaultProxy(Relay):
    """A context manager: inside, the proxy listens on `port`. The fault can be changed at any time.

    Faults of storing hit each conditional PUT once: that of an object that must not be there yet.
    """

    def __init__(self, upstream: int) -> None:
        super().__init__(upstream)
        self.fault: Fault = "none"
        self.hits = 0
        """Requests that a fault has hit."""
        self._hit = set[str]()
        self._random = random.Random(1)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one client sends, request by request."""
        with suppress(*_ENDS, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)

            async def forward(request: _Message) -> _Message:
                up_writer.write(request.head + request.body)
                return await _message(up_reader, has_body=request.first[0] != "HEAD")

            try:
                while await self._pass_on(await _message(reader), forward, writer):
                    pass
            finally:
                up_writer.close()
                writer.close()

    async def _pass_on(
        self, request: _Message, forward: Callable[[_Message], Awaitable[_Message]], writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request, with the fault that is due. False when the connection is to end."""
        fault = self._due(request)
        if fault in ("some 503", "all 503"):
            answer = _refusal(503, "SlowDown")
        elif fault == "all 403":
            answer = _refusal(403, "AccessDenied")
        elif fault == "409 without storing":
            answer = _refusal(409, "ConditionalRequestConflict")
        else:
            answer = await forward(request)
        if fault == "reset after storing":
            writer.transport.abort()
            return False
        if fault == "cut answers" and len(answer.body) > _LONG_BYTES:
            self.hits += 1
            writer.write(answer.head + answer.body[: len(answer.body) // 2])
            await writer.drain()
            return False
        if fault == "503 after storing":
            answer = _refusal(503, "SlowDown")
        body = b"" if request.first[0] == "HEAD" else answer.body
        writer.write(answer.head + body)
        await writer.drain()
        return True

    def _due(self, request: _Message) -> Fault:
        """Choose the fault for a request."""
        fault = self.fault
        method, path, *_ = request.first
        if fault in ("503 after storing", "409 without storing", "reset after storing"):
            if method != "PUT" or request.header("if-none-match") is None or path in self._hit:
                return "none"
            self._hit.add(path)
        elif fault == "some 503" and self._random.random() >= _SHARE:
            return "none"
        self.hits += fault not in ("none", "cut answers")
        return fault


async def _message(reader: asyncio.StreamReader, *, has_body: bool = True) -> _Message:
    """Read a request or an answer; its body has a length or comes in chunks."""
    message = _Message(await reader.readuntil(b"\r\n\r\n"), b"")
    if not has_body or message.first[1] in ("204", "304"):
        return message
    if (message.header("transfer-encoding") or "").lower() == "chunked":
        return _Message(message.head, await _chunks(reader))
    return _Message(message.head, await reader.readexactly(int(message.header("content-length") or 0)))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        body += size + await reader.readexactly(int(size.split(b";")[0], 16) + 2)
        if body.endswith(b"0\r\n\r\n") and int(size.split(b";")[0], 16) == 0:
            return body


def _refusal(status: int, code: str) -> _Message:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>A fault of the test.</Message></Error>".encode()
    head = f"HTTP/1.1 {status} {code}\r\ncontent-type: application/xml\r\ncontent-length: {len(body)}\r\n\r\n"
    return _Message(head.encode(), body)
