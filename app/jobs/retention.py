"""Deletes the images of expired jobs and of removed styles, and unfinished files. The records of jobs stay."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from app.cluster.first_seen import CERTAIN_SECONDS, FirstSeen
from app.jobs.style_removal import StyleRemoval
from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError
from worker.contracts.throttled_log import ThrottledLogger

_EVERY_SECONDS = 300
"""Interval between two runs."""
_MAX_WRITE_TIME = timedelta(hours=1)
"""Age after which an unfinished file is abandoned. No file takes that long to write."""

log = logging.getLogger(__name__)


class Retention:
    """Deletes the images of expired jobs once they have been due for a while.

    A wall clock that is ahead for a moment would otherwise delete everything. So a monotonic clock measures how long
    images have been due.
    """

    def __init__(
        self, store: Store, every_seconds: float = _EVERY_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._every_seconds = every_seconds
        self._clock = clock
        self._next_run = clock()
        self._due_since = FirstSeen()
        self._style_removal = StyleRemoval(store)
        self._throttled_log = ThrottledLogger(log, clock=clock)

    def run_if_due(self, now: datetime) -> None:
        """Delete expired images, removed styles and unfinished files, once an interval."""
        seconds = self._clock()
        if seconds < self._next_run:
            return
        self._next_run = seconds + self._every_seconds
        self._store.sweep_unfinished(now, _MAX_WRITE_TIME)
        self._style_removal.run(seconds)
        due = {note: job_id for job_id, note in self._store.jobs.due(now)}
        for note in self._due_since.observe(due, CERTAIN_SECONDS, seconds):
            try:
                self._expire(due[note], note, now)
            except DamagedError as error:
                self._throttled_log.error("damaged job was skipped", extra=fields(job_id=due[note], reason=error))

    def _expire(self, job_id: str, note: str, now: datetime) -> None:
        spec, state = self._store.jobs.spec(job_id), self._store.jobs.state(job_id)
        if spec is not None and state is not None and not state.has_expired(spec, now):
            return  # a process with a wrong clock wrote the note
        if self._store.jobs.extensions(job_id, now):
            return  # the note stays, and the job is looked at again in the next run
        # An open job keeps its images: a job that has been repaired after a power cut is open again, and has a note.
        if spec is None or state is not None:
            self._store.jobs.expire(job_id)
            log.info("job expired", extra=fields(job_id=job_id))
        self._store.jobs.delete_note(note)
