"""HTTP as uvicorn reads it, with limits to the head of a request: the parser has none, and waits for ever.

It also adds what uvicorn lacks: answers to HTTP/1.0 without chunks, and an end of a connection that clients notice.
"""

import socket
import struct
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

BREAK_OFF = "imagemill.break_off"
"""Extension of the ASGI scope: a function that ends the connection before the response is complete."""
BreakOff = Callable[[], None]

_MOST_BYTES = 1 << 16
_MOST_HEADERS = 200
_SECONDS = 20
"""From a connection or the first byte of a request to the end of its head."""
_REFUSAL = "The head of the request is too large."
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing the socket discards what is unsent and resets the connection."""


class _UntilClose:
    """Sends a body of unknown length as HTTP/1.0 has it: without framing, until the connection closes.

    Source: RFC 9112, sections 6.1 and 6.3.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send
        self.is_unframed = False
        cycle.send = self.send  # type: ignore[method-assign]

    async def send(self, message: Any) -> None:  # noqa: ANN401
        """Send a part of the response, of which uvicorn is told that it is as long as announced."""
        if message["type"] == "http.response.start":
            self.is_unframed = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            self._cycle.chunked_encoding = False if self.is_unframed else None
        elif self.is_unframed:
            self._cycle.expected_content_length = len(message.get("body", b""))
        await self._send(message)


class LimitedHttpProtocol(HttpToolsProtocol):
    """Refuses a head that is too large, and closes a connection whose head does not come."""

    _deadline: TimerHandle | None = None
    _is_in_head = False
    _head_bytes = 0
    _until_close: _UntilClose | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that has not ended."""
        was_in_head = self._is_in_head
        super().data_received(data)
        self._head_bytes += len(data) if was_in_head else 0
        if self._is_in_head and self._head_bytes > _MOST_BYTES and not self.transport.is_closing():
            self.send_400_response(_REFUSAL)

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self.scope["extensions"] = {BREAK_OFF: self.break_off}  # type: ignore[dict-item]
        self._is_in_head, self._head_bytes = True, 0
        self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what is raised here is answered with 400."""
        super().on_header(name, value)
        length = len(self.url) + sum(len(part) for header in self.headers[-1:] for part in header)
        if len(self.headers) > _MOST_HEADERS or length > _MOST_BYTES:
            raise ValueError(_REFUSAL)

    def on_headers_complete(self) -> None:
        """End a head."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0":
            self._until_close = _UntilClose(self.cycle)

    def break_off(self) -> None:
        """End the connection so that the client notices that a response is not complete.

        What was sent still arrives, but in HTTP/1.0, where only a reset differs from the end of a body.
        """
        if self._until_close is not None:
            self.abort()
        else:
            self.transport.close()

    def break_off_endless(self) -> None:
        """Break off a response that has no length: an archive that grows, or a stream of events."""
        cycle, plain = self.cycle, self._until_close
        is_endless = cycle is not None and (cycle.chunked_encoding or (plain is not None and plain.is_unframed))
        if is_endless and not cycle.response_complete:
            self.break_off()

    def abort(self) -> None:
        """Reset the connection at once, whatever has not been sent."""
        found = self.transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
