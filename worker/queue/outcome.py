"""What is to become of a task that a worker has taken."""

from enum import Enum


class Outcome(Enum):
    """What is to become of a task on the queue."""

    SETTLED = "settled"
    STORING = "storing"
    """Settled for the queue; what was rendered is being stored."""
    GIVEN_BACK = "given back"
    """To the front of the line, as this worker stops."""
    LATER = "later"
    """To the end of the line, as others wait as well."""
    ELSEWHERE = "elsewhere"
    """To the front of the line, as another worker has what it needs."""
