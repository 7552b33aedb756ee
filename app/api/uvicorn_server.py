"""A uvicorn server that stops within seconds, even if clients keep their connections open."""

import asyncio
import resource
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from app.api.uvicorn_protocol import LimitedHttpProtocol

_GRACE_SECONDS = 1.5
"""Time that responses of known length have to finish after the stop."""
STOP_SECONDS = 4
"""uvicorn's own limit for the stop. It should never be reached."""


_MAX_FILES = 1 << 16


class Server(uvicorn.Server):
    """Stops in time. uvicorn alone waits for every response, even for endless ones.

    Source: https://github.com/Kludex/uvicorn/issues/451.
    """

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake waiting requests, end endless responses, and reset the remaining connections after the grace time."""
        self._on_stop()
        for protocol in self._protocols():
            protocol.break_off_endless()
        grace = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._reset_all)
        try:
            await super().shutdown(sockets)
        finally:
            grace.cancel()

    def _reset_all(self) -> None:
        for protocol in self._protocols():
            protocol.abort()

    def _protocols(self) -> list[LimitedHttpProtocol]:
        return [
            connection for connection in self.server_state.connections if isinstance(connection, LimitedHttpProtocol)
        ]


def allow_many_files() -> None:
    """Raise this process's limit of open files to its hard limit, but to at most 65536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if limit > soft >= 0:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
