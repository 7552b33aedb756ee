"""What stands between a client and a server of this host: it listens in a thread with an event loop of its own."""

import asyncio
import socket
from abc import ABC, abstractmethod
from threading import Thread
from types import TracebackType
from typing import Self


class Relay(ABC):
    """A context manager: inside, it listens on `port`, and calls `connect` for each connection."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listener.close()

    @abstractmethod
    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one client sends, and what the server answers."""

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.start_server(self.connect, sock=self._listener))
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.close()
