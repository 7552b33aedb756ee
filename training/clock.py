"""How long a run has trained, and when it is time to save its state or to draw a grid.

Nothing in here decides what a run ships: that never depends on how fast a machine is (`training/check_interval.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from training.running_time import RunningTime

SAVE_EVERY_SECONDS = 300.0
"""An epoch can be long; no crash costs more than this."""
_SHARE, _LONGEST_PAUSE_SECONDS = 0.05, 600.0
"""Grids take no more than this share of the time, and so do saves; but a slow one is not put off for ever."""


class DueTimer:
    """What is done no more often than every so many seconds and for no more than a share of the time."""

    def __init__(self, every_seconds: float, now: Callable[[], float]) -> None:
        self._pause, self._now, self._last, self.cost_seconds = every_seconds, now, now(), 0.0

    def is_due(self) -> bool:
        """Tell whether enough time has gone by."""
        pause_for_cost = min(self.cost_seconds / _SHARE, _LONGEST_PAUSE_SECONDS)
        return self._now() - self._last >= max(self._pause, pause_for_cost)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Do it, and see how long it takes."""
        begun = self._now()
        yield
        self._last = self._now()
        self.cost_seconds = self._last - begun


class Clock:
    """Counts a run's seconds, over all its sessions. Seconds of a stopped process do not count."""

    def __init__(self, seconds: float) -> None:
        self._running = RunningTime()
        self._before, self._lap, self._excluded = seconds, 0.0, 0.0
        self.save, self.grid = DueTimer(SAVE_EVERY_SECONDS, self._now), DueTimer(0.0, self._now)
        self.check, self.publish = DueTimer(0.0, self._now), DueTimer(0.0, self._now)

    def counting(self) -> AbstractContextManager[None]:
        """Count in full also what takes long between two questions."""
        return self._running.sampling()

    def seconds(self) -> float:
        """Tell how long the run has trained so far."""
        return self._before + self._now()

    @contextmanager
    def excluded(self, timer: DueTimer) -> Iterator[None]:
        """Do what an epoch's rate must not count."""
        with timer.running():
            yield
        self._excluded += timer.cost_seconds

    def end_lap(self) -> float:
        """Tell the seconds since the last lap, less what was done aside."""
        now = self._now()
        lap, self._lap, self._excluded = now - self._lap - self._excluded, now, 0.0
        return lap

    def _now(self) -> float:
        return self._running.seconds()
