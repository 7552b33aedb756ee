"""uvicorn's HTTP protocol with limits for the head of a request. The parser has no limits and no timeout.

It also sends HTTP/1.0 responses without chunks, and can end a connection so that the client notices.
"""

import socket
import struct
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

BREAK_OFF = "imagemill.break_off"
"""Key in the extensions of the ASGI scope. Its value ends the connection before the response is complete."""
BreakOff = Callable[[], None]

_MAX_HEAD_BYTES = 1 << 16
_MAX_HEADERS = 200
_HEAD_TIMEOUT_SECONDS = 20
"""Longest time from a connection, or from the first byte of a later request, to the end of the head."""
_REFUSAL = "The head of the request is too large."
_RESET = struct.pack("ii", 1, 0)
"""Value of SO_LINGER. Closing the socket then discards unsent data and resets the connection."""


class _UnframedBody:
    """Sends a body of unknown length to an HTTP/1.0 client: without chunks, until the connection closes.

    Source: RFC 9112, sections 6.1 and 6.3.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send
        self.is_unframed = False
        cycle.send = self.send  # type: ignore[method-assign]

    async def send(self, message: Any) -> None:  # noqa: ANN401
        """Send a part of the response.

        uvicorn checks the length of a body. For an unframed body, each part is set as the expected length.
        """
        if message["type"] == "http.response.start":
            self.is_unframed = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            # None lets uvicorn choose. It would choose chunks for a body without a length, even in HTTP/1.0.
            self._cycle.chunked_encoding = False if self.is_unframed else None
        elif self.is_unframed:
            self._cycle.expected_content_length = len(message.get("body", b""))
        await self._send(message)


class LimitedHttpProtocol(HttpToolsProtocol):
    """Rejects a request whose head is too large, and closes a connection whose head does not arrive in time."""

    _timeout: TimerHandle | None = None
    _is_in_head = False
    _head_bytes = 0
    _http_1_0_body: _UnframedBody | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timeout of the first request."""
        super().connection_made(transport)
        self._start_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timeout."""
        self._stop_timeout()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, and count those of an unfinished head."""
        was_in_head = self._is_in_head  # the parser's callbacks change it
        super().data_received(data)
        self._head_bytes += len(data) if was_in_head else 0
        if self._is_in_head and self._head_bytes > _MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(_REFUSAL)

    def on_message_begin(self) -> None:
        """Start the limits of a new head."""
        super().on_message_begin()
        self.scope["extensions"] = {BREAK_OFF: self.break_off}  # type: ignore[dict-item]
        self._is_in_head, self._head_bytes = True, 0
        self._start_timeout()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Check the limits with each header. The parser responds with 400 to the exception."""
        super().on_header(name, value)
        # data_received counts after the parser has run, so a large header in one read must be found here.
        length = len(self.url) + sum(len(part) for header in self.headers[-1:] for part in header)
        if len(self.headers) > _MAX_HEADERS or length > _MAX_HEAD_BYTES:
            raise ValueError(_REFUSAL)

    def on_headers_complete(self) -> None:
        """Stop the limits at the end of a head."""
        self._is_in_head = False
        self._stop_timeout()
        super().on_headers_complete()
        # super() has just created the cycle of this request, and its response has not started.
        if self.scope["http_version"] == "1.0":
            self._http_1_0_body = _UnframedBody(self.cycle)

    def break_off(self) -> None:
        """End the connection so that the client notices that a response is incomplete.

        The client still receives the data that was sent. HTTP/1.0 is an exception: the end of the connection
        marks the end of a body there, so only a reset shows that it is incomplete.
        """
        if self._http_1_0_body is not None:
            self.abort()
        else:
            self.transport.close()

    def break_off_endless(self) -> None:
        """End a response of unknown length: an archive that is streamed, or an event stream."""
        cycle, body = self.cycle, self._http_1_0_body
        is_endless = cycle is not None and (cycle.chunked_encoding or (body is not None and body.is_unframed))
        if is_endless and not cycle.response_complete:
            self.break_off()

    def abort(self) -> None:
        """Reset the connection immediately, and discard unsent data."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def _start_timeout(self) -> None:
        self._stop_timeout()
        self._timeout = self.loop.call_later(_HEAD_TIMEOUT_SECONDS, self.transport.close)

    def _stop_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
