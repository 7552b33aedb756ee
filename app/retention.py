"""Retention: images are kept for a time from their job's end, requests for ever, half a file for an hour."""

import logging
from datetime import datetime, timedelta

from worker.contracts.artifacts import Artifacts, DamagedError

_EVERY = timedelta(minutes=5)
_WRITING = timedelta(hours=1)
"""Longer than any file is being written."""

log = logging.getLogger(__name__)


class Retention:
    """Removes the images of expired jobs, now and then."""

    def __init__(self, artifacts: Artifacts, every: timedelta = _EVERY) -> None:
        self._artifacts = artifacts
        self._every = every
        self._next: datetime | None = None

    def tend(self, now: datetime) -> None:
        """Remove what has expired and what was never finished, unless that was done just now."""
        if self._next is not None and now < self._next:
            return
        self._next = now + self._every
        self._artifacts.sweep_unfinished(now - _WRITING)
        for job_id, note in list(self._artifacts.due_jobs(now)):
            try:
                self._expire(job_id, now)
                self._artifacts.drop_note(note)
            except DamagedError as error:
                log.error("job was left alone job_id=%s reason=%s", job_id, error)

    def _expire(self, job_id: str, now: datetime) -> None:
        spec, state = self._artifacts.spec(job_id), self._artifacts.state(job_id)
        if spec is None or (state is not None and state.has_expired(spec, now)):
            self._artifacts.expire_job(job_id)
            log.info("job expired job_id=%s", job_id)
