"""The age of stored times: they may come from another host's clock, or from this one before it was set."""

from datetime import datetime, timedelta


def age(then: datetime, now: datetime) -> timedelta:
    """Tell how far away a stored time is, in either direction; never negative.

    A clock that was ahead wrote a time in the future. A plain difference stays negative until the clock gets there,
    which can take years, and whatever waits for an age waits as long. So an age is good for waits that must end.
    """
    return abs(now - then)
