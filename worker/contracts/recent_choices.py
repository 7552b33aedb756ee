"""A memory of the choices that were used last, with limits of their number and size."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

_MOST_JOBS, _MOST_ITEMS = 1024, 500_000
"""Limits of the number of remembered choices, and of the sum of their items. An item takes at most about 350 bytes."""


class Remembered(Protocol):
    """A choice with what belongs to it."""

    @property
    def items(self) -> int:
        """Number of hashes, ranges or candidates that it holds."""


R = TypeVar("R", bound=Remembered)


class RecentChoices(Generic[R]):
    """Remembers choices by job id. The oldest ones are forgotten beyond the limits. Thread-safe."""

    def __init__(self) -> None:
        self._by_job: OrderedDict[str, R] = OrderedDict()
        self._lock = Lock()

    def find_or_add(self, job_id: str, create: Callable[[], R]) -> R:
        """Return the choice of a job. If it is not remembered, it is created."""
        with self._lock:
            if next(reversed(self._by_job), None) == job_id:  # a worker asks for one job many times in a row
                return self._by_job[job_id]
            found = self._by_job.get(job_id)
            if found is None:
                found = self._by_job[job_id] = create()
            self._by_job.move_to_end(job_id)
            self._forget_oldest()
        return found

    def forget(self, job_id: str) -> None:
        """Forget the choice of a job, so that it is computed again."""
        with self._lock:
            self._by_job.pop(job_id, None)

    def _forget_oldest(self) -> None:
        items = sum(choice.items for choice in self._by_job.values())
        while len(self._by_job) > 1 and (len(self._by_job) > _MOST_JOBS or items > _MOST_ITEMS):
            items -= self._by_job.popitem(last=False)[1].items
