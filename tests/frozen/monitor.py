"""Records every command that the queue server runs, those of scripts too, so that short-lived keys are seen."""

import re
import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

from redis import Redis

_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TYPES = {
    b"@string": "string",
    b"@hash": "hash",
    b"@list": "list",
    b"@set": "set",
    b"@sortedset": "zset",
    b"@stream": "stream",
}
"""By a command's category in the server's own table of commands."""


class Monitor:
    """Listens to a queue server until that ends."""

    def __init__(self, port: int) -> None:
        self._lines = list[str]()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(b"MONITOR\r\n")
        self._file = self._socket.makefile(encoding="utf-8", errors="replace", newline="\r\n")
        assert self._file.readline() == "+OK\r\n"
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Free the connection; call it when the server has ended."""
        self._thread.join()
        self._file.close()
        self._socket.close()

    def written(self, redis: Redis) -> Iterator[tuple[str, str]]:
        """List the keys that were given data, each with its type. A channel counts as a key.

        Commands that only read, remove or expire are left out: when and whether they run depends on the time.
        """
        table = dict[str, Any]()
        for name, *arguments in map(_ARGUMENT.findall, list(self._lines)):
            if name.lower() == "publish":
                yield arguments[0], "channel"
            if name not in table:
                (table[name],) = redis.execute_command(f"COMMAND INFO {name}")  # type: ignore[no-untyped-call]
            _, _, flags, first, last, step, categories, *_ = table[name]
            if b"denyoom" in flags and first:
                (kind,) = (_TYPES[category] for category in categories if category in _TYPES)
                yield from ((key, kind) for key in arguments[first - 1 : last : step])

    def _listen(self) -> None:
        self._lines.extend(self._file)
