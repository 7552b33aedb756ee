"""A logger for repeated problems: it writes one line a minute of each kind."""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from worker.contracts.logs import fields


class ThrottledLogger(logging.LoggerAdapter[logging.Logger]):
    """Writes the first message of each kind, then one a minute with the number of suppressed ones.

    The kind of a line is its message before the arguments are filled in.
    """

    def __init__(
        self, logger: logging.Logger, every_seconds: float = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(logger)
        self._every_seconds = every_seconds
        self._clock = clock
        self._next = dict[str, float]()
        """Time when a kind may be written again, by its message."""
        self._suppressed = dict[str, int]()
        self._lock = Lock()

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401
        """Write a line, unless one of its kind was written in the last minute."""
        suppressed = self._admit(str(msg))
        if suppressed is None:
            return
        if suppressed:
            known = (kwargs.get("extra") or {}).get("fields", {})
            kwargs["extra"] = fields(**known, suppressed=suppressed)
        super().log(level, msg, *args, **kwargs)

    def process(self, msg: Any, kwargs: Any) -> Any:  # noqa: ANN401
        """Return the arguments unchanged. The base class would replace `extra`."""
        return msg, kwargs

    def _admit(self, kind: str) -> int | None:
        """Return how many lines were suppressed before this one; None if this one is suppressed, too."""
        with self._lock:
            now = self._clock()
            if now < self._next.get(kind, now):
                self._suppressed[kind] = self._suppressed.get(kind, 0) + 1
                return None
            self._next[kind] = now + self._every_seconds
            return self._suppressed.pop(kind, 0)
