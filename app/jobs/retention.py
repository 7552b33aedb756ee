"""Retention: images are kept for a time from their job's end, requests for ever, half a file for an hour."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from app.cluster.first_seen import CERTAIN_SECONDS, FirstSeen
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError
from worker.contracts.throttled_log import ThrottledLogger

_EVERY_SECONDS = 300
_WRITING = timedelta(hours=1)
"""Longer than any file is being written."""

log = logging.getLogger(__name__)


class Retention:
    """Removes the images of expired jobs, now and then; but only once they have been due for a while.

    A clock that is far ahead for a moment would otherwise remove everything. So the time that images must be due for
    is measured by another clock, which nobody sets.
    """

    def __init__(
        self, store: Store, every_seconds: float = _EVERY_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._every_seconds = every_seconds
        self._clock = clock
        self._next = clock()
        self._due = FirstSeen()
        self._trouble = ThrottledLogger(log, clock=clock)

    def tend(self, now: datetime) -> None:
        """Remove what has expired and what was never finished, unless that was done just now."""
        seconds = self._clock()
        if seconds < self._next:
            return
        self._next = seconds + self._every_seconds
        self._store.sweep_unfinished(now, _WRITING)
        due = {note: job_id for job_id, note in self._store.jobs.due(now)}
        for note in self._due.lasting(due, CERTAIN_SECONDS, seconds):
            try:
                self._expire(due[note], note, now)
            except DamagedError as error:
                self._trouble.error("job was left alone job_id=%s reason=%s", due[note], error)

    def _expire(self, job_id: str, note: str, now: datetime) -> None:
        spec, state = self._store.jobs.spec(job_id), self._store.jobs.state(job_id)
        if spec is not None and state is not None and not state.has_expired(spec, now):
            return  # another clock wrote the note
        if spec is None or state is not None:
            self._store.jobs.expire(job_id)
            log.info("job expired job_id=%s", job_id)
        self._store.jobs.delete_note(note)
