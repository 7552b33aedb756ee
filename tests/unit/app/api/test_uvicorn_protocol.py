"""Limits of a request's head, tested on a real connection."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from app.api import uvicorn_protocol
from app.api.uvicorn_protocol import BREAK_OFF, LimitedHttpProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
Talk = Callable[[StreamReader, StreamWriter], Coroutine[None, None, bytes]]


WELL = PlainTextResponse("well")


def answer(talk: Talk, app: ASGIApp = WELL) -> bytes:
    async def run() -> bytes:
        config = Config(app, http=LimitedHttpProtocol, log_config=None)
        config.load()
        loop, state = asyncio.get_running_loop(), ServerState()
        server = await loop.create_server(lambda: LimitedHttpProtocol(config, state, {}), "127.0.0.1", 0)
        async with server, asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await talk(reader, writer)
            finally:
                writer.close()

    return asyncio.run(run())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_protocol, "_HEAD_TIMEOUT_SECONDS", 0.1)


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


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"one,", b"", b"two"):
        yield piece


async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
    await StreamingResponse(pieces())(scope, receive, send)


async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one,", "more_body": True})
    scope["extensions"][BREAK_OFF]()
    while (await receive())["type"] != "http.disconnect":
        pass


def asking(version: bytes, method: bytes = b"GET", *headers: bytes) -> Talk:
    async def talk(reader: StreamReader, writer: StreamWriter) -> bytes:
        lines = (method + b" / HTTP/" + version, b"Host: x", *headers)
        writer.write(b"".join(line + b"\r\n" for line in lines) + b"\r\n")
        return await reader.read()

    return talk


@pytest.mark.parametrize("headers", [(), (b"Connection: keep-alive",)])
def test_http_1_0_gets_a_body_of_unknown_length_without_chunks(headers: tuple[bytes, ...]) -> None:
    head, _, body = answer(asking(b"1.0", b"GET", *headers), streaming).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b"connection: close" in head.lower()
    assert body == b"one,two"


def test_http_1_0_gets_a_body_of_known_length_as_it_is() -> None:
    head, _, body = answer(asking(b"1.0")).partition(b"\r\n\r\n")
    assert b"content-length: 4" in head.lower()
    assert body == b"well"


def test_http_1_0_gets_no_body_to_a_head() -> None:
    assert answer(asking(b"1.0", b"HEAD"), streaming).partition(b"\r\n\r\n")[2] == b""


def test_http_1_1_gets_chunks() -> None:
    assert b"\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n" in answer(asking(b"1.1", b"GET", b"Connection: close"), streaming)


def test_a_response_that_is_broken_off_is_not_complete(caplog: pytest.LogCaptureFixture) -> None:
    body = answer(asking(b"1.1"), breaking).partition(b"\r\n\r\n")[2]
    assert body == b"4\r\none,\r\n"  # and no chunk of length 0
    with pytest.raises(ConnectionResetError):
        answer(asking(b"1.0"), breaking)
    assert not caplog.records
