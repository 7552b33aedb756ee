"""The outcome of a task that a worker has taken."""

from enum import Enum


class Outcome(Enum):
    """Outcome of a task, which says where its entry of the queue goes."""

    DONE = "done"
    STORING = "storing"
    """The entry is removed; another thread stores the images."""
    INTERRUPTED = "interrupted"
    """The entry goes to the front of the queue, because this worker stops."""
    DEFERRED = "deferred"
    """The entry goes to the end of the queue, so that other tasks are done first."""
    OTHER_WORKER = "other worker"
    """The entry goes to the front of the queue, for a worker that has the model."""
