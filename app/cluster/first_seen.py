"""Remembers since when a condition has held at every check, by a monotonic clock."""

from collections.abc import Iterable

CERTAIN_SECONDS = 15 * 60
"""How long a wall-clock condition must hold before an irreversible action.

So a wall clock that is ahead for a shorter time does no harm.
"""


class FirstSeen:
    """Remembers when each key was first seen without interruption. A restart forgets this."""

    def __init__(self) -> None:
        self._since = dict[str, float]()

    def observe(self, seen: Iterable[str], seconds: float, now: float) -> set[str]:
        """Return the keys that every call of the last `seconds` has seen. Keys that are not in `seen` are forgotten.

        `now` is the time of a monotonic clock, in seconds.
        """
        self._since = {key: self._since.get(key, now) for key in seen}
        return {key for key, since in self._since.items() if now - since >= seconds}

    def forget(self, keys: Iterable[str]) -> None:
        """Forget when these keys were first seen."""
        for key in keys:
            self._since.pop(key, None)
