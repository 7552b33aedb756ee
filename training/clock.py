"""When a run has to do what is done now and then: check its health, draw a grid, save its state."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

SAVE_EVERY_SECONDS = 300.0
"""An epoch can be long; no crash costs more than this."""
CHECK_EVERY_SECONDS = 60.0
_SHARE, _LONGEST_PAUSE_SECONDS = 0.05, 600.0
"""Checks take no more than this share of the time, and so do grids; but a slow one is not put off for ever."""


class Occasion:
    """What is done no more often than every so many seconds and for no more than a share of the time."""

    def __init__(self, every_seconds: float) -> None:
        self._pause, self._last, self.cost_seconds = every_seconds, time.monotonic(), 0.0

    def is_due(self) -> bool:
        """Tell whether enough time has gone by."""
        for_its_cost = min(self.cost_seconds / _SHARE, _LONGEST_PAUSE_SECONDS)
        return time.monotonic() - self._last >= max(self._pause, for_its_cost)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Do it, and see how long it takes."""
        begun = time.monotonic()
        yield
        self._last = time.monotonic()
        self.cost_seconds = self._last - begun


class Clock:
    """Counts a run's seconds, over all its sessions."""

    def __init__(self, seconds: float) -> None:
        now = time.monotonic()
        self._started, self._lap, self._aside = now - seconds, now, 0.0
        self.check, self.save = Occasion(CHECK_EVERY_SECONDS), Occasion(SAVE_EVERY_SECONDS)
        self.grid, self.publish = Occasion(0.0), Occasion(0.0)

    def seconds(self) -> float:
        """Tell how long the run has taken so far."""
        return time.monotonic() - self._started

    @contextmanager
    def aside(self, occasion: Occasion) -> Iterator[None]:
        """Do what an epoch's rate must not count."""
        with occasion.taken():
            yield
        self._aside += occasion.cost_seconds

    def lap(self) -> float:
        """Tell the seconds since the last lap, less what was done aside."""
        now = time.monotonic()
        lap, self._lap, self._aside = now - self._lap - self._aside, now, 0.0
        return lap
