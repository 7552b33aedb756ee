"""HTTP as uvicorn reads it, with limits to the head of a request: the parser has none, and waits for ever."""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_BYTES = 1 << 16
_MOST_HEADERS = 200
_SECONDS = 20
"""From a connection or the first byte of a request to the end of its head."""
_REFUSAL = "The head of the request is too large."


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a head that is too large, and closes a connection whose head does not come."""

    _deadline: TimerHandle | None = None
    _is_in_head = False
    _head_bytes = 0

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

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
