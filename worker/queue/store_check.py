"""Checks whether this worker can use the store. A worker that cannot takes no tasks, because it would drop them."""

import logging
import time
from threading import Lock

from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError, cause_of
from worker.contracts.throttled_log import ThrottledLogger

_MOST_DROPS = 3
"""Consecutive tasks that may be dropped although the store passes its check."""
_REST_SECONDS = 3
"""Pause of a worker after too many dropped tasks. Each further dropped task doubles it."""
_MOST_REST_SECONDS = 60

log = logging.getLogger(__name__)


class StoreCheck:
    """Checks the store and keeps the last result. Used by several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.trouble: str | None = "the store was not tried yet"
        """Reason why this worker takes no tasks; None while it does."""
        self.needed_bytes = 0
        """Bytes of the last shard that this worker tried to store."""
        self._drops = 0
        """Consecutive tasks that were dropped although the store passed its check."""
        self._rests_until = 0.0
        self._was_refused = False
        """Whether the store failed its last check."""
        self._log = ThrottledLogger(log)
        self._lock = Lock()

    def stored(self) -> None:
        """Record that a shard was stored, which ends a pause."""
        drops, self._drops = self._drops, 0
        self._rests_until = 0.0
        if drops >= _MOST_DROPS:
            self._log.info("worker takes tasks again")

    def dropped(self, error: Exception) -> bool:
        """Record that a task was dropped. Returns whether this worker must pause; if not, only one job is affected."""
        with self._lock:
            self._look()
            if self.trouble is None:
                self._count_drop(error)
            return self.trouble is not None

    def _count_drop(self, error: Exception) -> None:
        self._drops += 1
        excess = self._drops - _MOST_DROPS
        if excess >= 0:
            self._rests_until = time.monotonic() + min(_MOST_REST_SECONDS, _REST_SECONDS << excess)
            self._note(f"{self._drops} tasks in a row were dropped, the last one by: {cause_of(error)}")

    def look(self) -> str | None:
        """Check the store, unless this worker pauses. Returns the reason why it takes no tasks."""
        with self._lock:
            if time.monotonic() >= self._rests_until:
                self._look()
            return self.trouble

    def _look(self) -> None:
        try:
            self._store.check_usable()
            self._store.check_room(self.needed_bytes)
        except (StoreError, OSError) as error:
            self._was_refused = True
            self._note(cause_of(error), str(error))
        else:
            self.trouble = None
            if self._was_refused:
                self._was_refused = False
                self._log.info("worker takes tasks again")

    def _note(self, trouble: str, message: str | None = None) -> None:
        self.trouble = trouble
        self._log.error("worker takes no tasks, as it cannot use the store reason=%s", message or trouble)
