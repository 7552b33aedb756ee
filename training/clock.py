"""Measures training time, and limits how often a run saves its state or draws a grid.

Time never decides which snapshot a run ships (see `training/check_interval.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from training.running_time import RunningTime

SAVE_EVERY_SECONDS = 300.0
"""Longest training time that a crash can cost. An epoch can be longer."""
_SHARE, _LONGEST_PAUSE_SECONDS = 0.05, 600.0
"""Largest share of the time for grids, and for saves. A slow one is still never delayed beyond the longest pause."""


class DueTimer:
    """Limits an action to once in a number of seconds, and to a share of the time."""

    def __init__(self, every_seconds: float, now: Callable[[], float]) -> None:
        self._pause, self._now, self._last, self.cost_seconds = every_seconds, now, now(), 0.0

    def is_due(self) -> bool:
        """Return whether the pause since the last time is over."""
        pause_for_cost = min(self.cost_seconds / _SHARE, _LONGEST_PAUSE_SECONDS)
        return self._now() - self._last >= max(self._pause, pause_for_cost)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the action and measure its cost."""
        begun = self._now()
        # If the action raises, the run ends, and its cost does not matter.
        yield
        self._last = self._now()
        self.cost_seconds = self._last - begun


class Clock:
    """Counts the seconds of a run over all its sessions. Seconds in which the process is stopped do not count."""

    def __init__(self, seconds: float) -> None:
        self._running = RunningTime()
        self._before, self._lap, self._excluded = seconds, 0.0, 0.0
        self.save, self.grid = DueTimer(SAVE_EVERY_SECONDS, self._now), DueTimer(0.0, self._now)
        self.check, self.publish = DueTimer(0.0, self._now), DueTimer(0.0, self._now)

    def counting(self) -> AbstractContextManager[None]:
        """Count long operations in full, although they do not read the clock."""
        return self._running.sampling()

    def seconds(self) -> float:
        """Return the seconds that the run has trained so far."""
        return self._before + self._now()

    @contextmanager
    def excluded(self, timer: DueTimer) -> Iterator[None]:
        """Run an action whose time does not count in the images per second of an epoch."""
        with timer.running():
            yield
        self._excluded += timer.cost_seconds

    def end_lap(self) -> float:
        """Return the seconds since the last lap without excluded actions, and start a new lap."""
        now = self._now()
        lap, self._lap, self._excluded = now - self._lap - self._excluded, now, 0.0
        return lap

    def _now(self) -> float:
        return self._running.seconds()
