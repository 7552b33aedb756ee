"""Counts the seconds in which a process runs. Seconds in which it is stopped or frozen with its machine do not count.

System clocks continue while a process is stopped (SIGSTOP, Ctrl-Z, `docker pause`, a frozen virtual machine). A thread
samples the clock four times a second. A longer gap between two samples counts as one second.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SAMPLE_EVERY_SECONDS, _LONGEST_GAP_SECONDS = 0.25, 1.0
"""Interval of samples, and the longest gap that counts in full. A busy machine delays samples by less."""


class RunningTime:
    """Counts seconds from its creation."""

    def __init__(self) -> None:
        self._seconds, self._sampled_at, self._lock = 0.0, time.monotonic(), threading.Lock()

    def seconds(self) -> float:
        """Return the seconds so far."""
        with self._lock:
            now = time.monotonic()
            self._seconds += min(now - self._sampled_at, _LONGEST_GAP_SECONDS)
            self._sampled_at = now
            return self._seconds

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample the clock in a thread, so that long operations count in full."""
        ended = threading.Event()
        thread = threading.Thread(target=self._sample, args=(ended,), name="running time", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _sample(self, ended: threading.Event) -> None:
        # Event.wait returns early when the run ends.
        while not ended.wait(_SAMPLE_EVERY_SECONDS):
            self.seconds()
