"""A file that tells that this worker is alive, for a health check that costs next to nothing."""

import logging
import time
from pathlib import Path

_FRESH_SECONDS = 30
"""As long as Redis keeps an announcement; a worker announces itself at least every 5 s, but for long batches."""

log = logging.getLogger(__name__)


class AliveFile:
    """Touches a file whenever the worker announces itself; without a path it does nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def beat(self) -> None:
        """Touch the file. Failing to do so is logged once, and ends no work."""
        try:
            if self._path is not None:
                self._path.touch()
        except OSError as error:
            log.warning("heartbeat file was not written, and is not tried again reason=%s", error)
            self._path = None


def is_fresh(path: Path) -> bool:
    """Tell whether a worker has touched the file lately. A time far in the future, by a clock set back, is refused."""
    try:
        return abs(time.time() - path.stat().st_mtime) < _FRESH_SECONDS
    except OSError:
        return False
