"""The limits of a request's head, on a real connection."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Coroutine

import pytest
from starlette.responses import PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from app import protocol
from app.protocol import BoundedProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
Talk = Callable[[StreamReader, StreamWriter], Coroutine[None, None, bytes]]


def answer(talk: Talk) -> bytes:
    async def run() -> bytes:
        config = Config(PlainTextResponse("well"), http=BoundedProtocol, log_config=None)
        config.load()
        loop, state = asyncio.get_running_loop(), ServerState()
        server = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
        async with server, asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await talk(reader, writer)
            finally:
                writer.close()

    return asyncio.run(run())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("begin", [b"", b"GET ", HEAD, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(begin: bytes) -> None:
    async def talk(reader: StreamReader, writer: StreamWriter) -> bytes:
        writer.write(begin)
        return await reader.read()  # until the server closes

    assert answer(talk).count(b"well") == begin.count(b"\r\n\r\n")


@pytest.mark.usefixtures("impatient")
def test_a_body_may_take_longer_than_a_head() -> None:
    async def talk(reader: StreamReader, writer: StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(b"ab")
        return await reader.read()

    assert answer(talk).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "lines", [b"X: " + b"a" * 70_000, b"X: a\r\n" * 201, b"X: " + b"a" * 10_000_000, b"a: b\r\n" * 1_000_000]
)
def test_a_head_that_is_too_large_is_refused(lines: bytes) -> None:
    async def talk(reader: StreamReader, writer: StreamWriter) -> bytes:
        writer.write(HEAD + lines + b"\r\n\r\n")
        try:
            return await reader.read()
        except ConnectionError:  # it was closed while we still sent
            return b"HTTP/1.1 400 "

    assert answer(talk).startswith(b"HTTP/1.1 400 ")


def test_a_large_head_is_taken() -> None:
    async def talk(reader: StreamReader, writer: StreamWriter) -> bytes:
        writer.write(HEAD + b"X: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n")
        return await reader.read()

    assert answer(talk).startswith(b"HTTP/1.1 200 ")
