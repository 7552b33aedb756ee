"""The server process: uvicorn, which ends within seconds whatever its clients do."""

import asyncio
import resource
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from app.api.uvicorn_protocol import LimitedHttpProtocol

_GRACE_SECONDS = 1.5
"""That responses of known length have to complete."""
STOP_SECONDS = 4
"""After which uvicorn gives up waiting; nothing should take that long."""


_MOST_FILES = 1 << 16


class Server(uvicorn.Server):
    """Ends as soon as it should: uvicorn alone waits for every response, also for those that have no end.

    Source: https://github.com/Kludex/uvicorn/issues/451.
    """

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer who waits, break off what has no end, and reset after a while what is still open."""
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
        return [found for found in self.server_state.connections if isinstance(found, LimitedHttpProtocol)]


def allow_many_files() -> None:
    """Let this process open as many files and connections as its hard limit allows, up to 65536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if most > soft >= 0:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
