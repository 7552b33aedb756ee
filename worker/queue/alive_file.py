"""A file whose modification time shows that the worker is alive. Reading it is the cheapest health check."""

import logging
import time
from pathlib import Path

from worker.contracts.logs import fields

_FRESH_SECONDS = 30
"""Age at which the file counts as old: the lifetime of an announcement in Redis.

A worker announces itself at least every 5 s, except while it waits for a slow store.
"""

log = logging.getLogger(__name__)


class AliveFile:
    """Touches a file whenever the worker announces itself. Without a path it does nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def touch(self) -> None:
        """Touch the file. The first failure is logged, and the file is not touched again."""
        try:
            if self._path is not None:
                self._path.touch()
        except OSError as error:
            log.warning("heartbeat file was not written and is now ignored", extra=fields(reason=error))
            self._path = None  # else every announcement would log a line


def is_fresh(path: Path) -> bool:
    """Return whether a worker has touched the file recently.

    A time far in the future, from before the clock was set back, does not count.
    """
    try:
        return abs(time.time() - path.stat().st_mtime) < _FRESH_SECONDS
    except OSError:
        return False
