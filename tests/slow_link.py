"""A relay between two hosts: a long way, or a link that is cut."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Self

from tests.relay import Relay

_READ_BYTES = 1 << 16


class SlowLink(Relay):
    """A context manager: inside, `port` leads to a port of this host, and each direction takes `delay_seconds`.

    A new connection takes one round trip. While the link is cut, no byte passes and no connection ends: as with a
    cable that was pulled out, both ends wait.
    """

    def __init__(self, upstream: int, delay_seconds: float = 0.0) -> None:
        super().__init__(upstream)
        self.delay_seconds = delay_seconds
        self._whole = asyncio.Event()

    def __enter__(self) -> Self:
        """Listen."""
        super().__enter__()
        self.mend()
        return self

    def cut(self) -> None:
        """Let nothing pass until `mend`."""
        self._do(self._whole.clear)

    def mend(self) -> None:
        """Let everything pass again, also what waits."""
        self._do(self._whole.set)

    def _do(self, change: Callable[[], object]) -> None:
        done = Event()
        self._loop.call_soon_threadsafe(change)
        self._loop.call_soon_threadsafe(done.set)
        done.wait()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.sleep(2 * self.delay_seconds)
            await self._whole.wait()
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, up_writer))
                group.create_task(self._carry(up_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on the bytes of one direction, each after the delay. Later bytes need not wait for earlier ones."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            data = b"?"
            while data:
                due, data = await on_the_way.get()
                await asyncio.sleep(due - self._loop.time())
                await self._whole.wait()
                if not writer.is_closing():
                    writer.write(data)
            writer.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(arrive())
            data = b"?"
            while data:
                try:
                    data = await reader.read(_READ_BYTES)
                except ConnectionError:
                    data = b""
                on_the_way.put_nowait((self._loop.time() + self.delay_seconds, data))
