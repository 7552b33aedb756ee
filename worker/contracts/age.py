"""The age of stored times. They may come from the clock of another host, or from this clock before it was set."""

from datetime import datetime, timedelta


def age(then: datetime, now: datetime) -> timedelta:
    """Return the distance between a stored time and now. It is never negative.

    A clock that was ahead may have stored a time in the future. A plain difference would be negative until then,
    perhaps for years, and a wait for an age would take as long. With the distance, such a wait ends.
    """
    return abs(now - then)
