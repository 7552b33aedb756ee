"""The outcome of a task that a worker has taken."""

from enum import Enum


class Outcome(Enum):
    """Outcome of a task, which says where its entry of the queue goes."""

    SETTLED = "settled"
    STORING = "storing"
    """The entry is removed; another thread stores the images."""
    GIVEN_BACK = "given back"
    """The entry goes to the front of the queue, because this worker stops."""
    LATER = "later"
    """The entry goes to the end of the queue, so that other tasks are done first."""
    ELSEWHERE = "elsewhere"
    """The entry goes to the front of the queue, for a worker that has the model."""
