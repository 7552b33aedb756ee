"""Calls the same method of the blocking and of the asynchronous client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from app.client import AsyncClient, Client


class Call(Protocol):
    """Calls a method of a client of a server, and returns its result, or a list of what it yields."""

    def __call__(self, server: str, method: str, *arguments: Any, **options: Any) -> Any: ...


def call_blocking(server: str, method: str, *arguments: Any, **options: Any) -> Any:
    with Client(server, patience_seconds=5, sleep=lambda _: None) as client:
        found = getattr(client, method)(*arguments, **options)
        return list(found) if isinstance(found, Iterator) else found


def call_asynchronous(server: str, method: str, *arguments: Any, **options: Any) -> Any:
    async def call() -> Any:
        async with AsyncClient(server, patience_seconds=5, sleep=lambda _: asyncio.sleep(0)) as client:
            found = getattr(client, method)(*arguments, **options)
            return [item async for item in found] if isinstance(found, AsyncIterator) else await found

    return asyncio.run(call())


FACES = [call_blocking, call_asynchronous]
