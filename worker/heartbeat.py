"""A file that tells that this worker is alive, for a health check that costs next to nothing."""

import logging
import time
from pathlib import Path

from worker.contracts.queue import WORKER_TTL_SECONDS

log = logging.getLogger(__name__)


class Heartbeat:
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
    """Tell whether a worker has touched the file lately."""
    try:
        return time.time() - path.stat().st_mtime < WORKER_TTL_SECONDS
    except OSError:
        return False
