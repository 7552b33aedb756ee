"""Ends the process when its work hangs, because threads cannot be ended. A supervisor starts another process."""

import logging
import os
import time
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from worker.contracts.logs import fields

STATUS = 70
"""Exit status of a process that the watchdog ends: EX_SOFTWARE of sysexits.h."""

log = logging.getLogger(__name__)


class Watchdog:
    """A context manager: inside, `pat` must be called at least every `seconds`. It can be entered many times."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: float | None = None
        self._changed = Condition()
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def __enter__(self) -> Self:
        """Start the countdown."""
        with self._changed:
            self.pat()
            self._changed.notify()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the countdown."""
        self._due = None

    def pat(self) -> None:
        """Restart the countdown. Cheap, and safe in any thread."""
        # No lock: the watching thread sleeps until the old deadline, and then reads the new one.
        self._due = time.monotonic() + self._seconds

    def _watch(self) -> None:
        while True:
            with self._changed:
                due = self._due
                self._changed.wait(None if due is None else max(0.01, due - time.monotonic()))
            due = self._due
            if due is not None and time.monotonic() >= due:
                log.critical("work hangs, so this process ends", extra=fields(seconds=self._seconds))
                end_process()


def end_process() -> None:
    """End this process at once, from any thread. A normal exit would wait for the threads that hang."""
    os._exit(STATUS)
