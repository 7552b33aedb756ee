"""The seconds in which a process runs. Those in which it is stopped, paused or frozen with its machine do not count.

A system's clocks go on while a process is stopped (SIGSTOP, Ctrl-Z, `docker pause`, a frozen virtual machine). Here a
thread looks at the clock four times a second. A longer gap between two looks counts as one second.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SAMPLE_EVERY_SECONDS, _LONGEST_GAP_SECONDS = 0.25, 1.0
"""A busy machine delays a look by less than the longest gap that still counts in full."""


class RunningTime:
    """Counts seconds from its making on."""

    def __init__(self) -> None:
        self._seconds, self._sampled_at, self._lock = 0.0, time.monotonic(), threading.Lock()

    def seconds(self) -> float:
        """Tell the seconds so far."""
        with self._lock:
            now = time.monotonic()
            self._seconds += min(now - self._sampled_at, _LONGEST_GAP_SECONDS)
            self._sampled_at = now
            return self._seconds

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Look at the clock from a thread, so that work that asks seldom is counted in full."""
        ended = threading.Event()
        thread = threading.Thread(target=self._sample, args=(ended,), name="running time", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _sample(self, ended: threading.Event) -> None:
        while not ended.wait(_SAMPLE_EVERY_SECONDS):
            self.seconds()
