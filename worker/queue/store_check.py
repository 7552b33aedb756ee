"""Checks whether this worker can use the store. A worker that cannot takes no tasks, because it would drop them."""

import logging
import time
from threading import Lock

from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError, cause_of
from worker.contracts.throttled_log import ThrottledLogger

_MAX_DROPS = 3
"""Consecutive tasks that may be dropped although the store passes its check."""
_PAUSE_SECONDS = 3
"""Pause of a worker after too many dropped tasks. Each further dropped task doubles it."""
_MAX_PAUSE_SECONDS = 60

log = logging.getLogger(__name__)


class StoreCheck:
    """Checks the store and keeps the last result. Used by several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pause_reason: str | None = "the store was not checked yet"
        """Reason why this worker takes no tasks; None while it does."""
        self.needed_bytes = 0
        """Bytes of the last shard that this worker tried to store."""
        self._consecutive_drops = 0
        """Consecutive tasks that were dropped although the store passed its check."""
        self._paused_until = 0.0
        self._failed_last_check = False
        """Whether the store failed its last check."""
        self._log = ThrottledLogger(log)
        self._lock = Lock()

    def record_success(self) -> None:
        """Record that a shard was stored, which ends a pause."""
        drops, self._consecutive_drops = self._consecutive_drops, 0
        self._paused_until = 0.0
        if drops >= _MAX_DROPS:
            self._log.info("worker takes tasks again")

    def record_drop(self, error: Exception) -> bool:
        """Record that a task was dropped. Returns whether this worker must pause; if not, only one job is affected."""
        with self._lock:
            self._check_store()
            if self.pause_reason is None:
                self._count_drop(error)
            return self.pause_reason is not None

    def _count_drop(self, error: Exception) -> None:
        self._consecutive_drops += 1
        # The store passes its check, but tasks fail nevertheless. Pauses of 3, 6, 12 ... 60 s limit useless attempts.
        excess = self._consecutive_drops - _MAX_DROPS
        if excess >= 0:
            self._paused_until = time.monotonic() + min(_MAX_PAUSE_SECONDS, _PAUSE_SECONDS << excess)
            self._pause(f"{self._consecutive_drops} tasks in a row were dropped, the last one by: {cause_of(error)}")

    def check(self) -> str | None:
        """Check the store, unless this worker pauses. Returns the reason why it takes no tasks."""
        with self._lock:
            if time.monotonic() >= self._paused_until:
                self._check_store()
            return self.pause_reason

    def _check_store(self) -> None:
        try:
            self._store.check_usable()
            self._store.check_free_bytes(self.needed_bytes)
        except (StoreError, OSError) as error:
            self._failed_last_check = True
            self._pause(cause_of(error), str(error))
        else:
            self.pause_reason = None
            if self._failed_last_check:
                self._failed_last_check = False
                self._log.info("worker takes tasks again")

    def _pause(self, pause_reason: str, message: str | None = None) -> None:
        self.pause_reason = pause_reason
        known = fields(reason=message or pause_reason)
        self._log.error("worker takes no tasks, because it cannot use the store", extra=known)
