"""Sightings: since when this process has seen something at every look, by a clock that nobody sets."""

from collections.abc import Iterable

CERTAIN_SECONDS = 15 * 60
"""How long the clock must say so before something is done that cannot be undone.

A clock that runs ahead for a shorter time, until it is put right, does no harm.
"""


class FirstSeen:
    """Remembers what was seen at every look. After a restart, it begins again."""

    def __init__(self) -> None:
        self._since = dict[str, float]()

    def lasting(self, seen: Iterable[str], seconds: float, now: float) -> set[str]:
        """Tell which of these were seen at every look for so long. What is not among them now is forgotten.

        `now` is in seconds, by a monotonic clock.
        """
        self._since = {key: self._since.get(key, now) for key in seen}
        return {key for key, since in self._since.items() if now - since >= seconds}

    def forget(self, keys: Iterable[str]) -> None:
        """Count from the next look on."""
        for key in keys:
            self._since.pop(key, None)
