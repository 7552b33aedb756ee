"""Long polling of a job."""

import math
import time
from collections.abc import Callable

from app.client.errors import JobFailedError, WaitTimeoutError
from app.client.responses import Job
from app.client.steps import Flow, Pause

_WAIT_SECONDS, _POLL_SECONDS = 2, 5
"""How long the server may hold back the response to a poll, and how long the client waits for that response."""
_MIN_INTERVAL_SECONDS = 0.2
"""Shortest time between two polls, for servers that respond at once."""

Poll = Callable[[Job, int, float], Flow[Job]]
"""Reads a job again: the job, the seconds that the server may wait, and the timeout of the request."""


class JobPoll:
    """Polls one job at a limited rate, until a timeout if there is one."""

    def __init__(self, poll: Poll, timeout: float | None = None) -> None:
        self._poll = poll
        self._timeout = math.inf if timeout is None else timeout
        self._deadline = time.monotonic() + self._timeout
        self._last_poll: float | None = None

    def next(self, job: Job) -> Flow[Job]:
        """Return the job after the next poll. Raises WaitTimeoutError."""
        if self._last_poll is not None:
            yield Pause(max(0.0, self._last_poll + _MIN_INTERVAL_SECONDS - time.monotonic()))
        self._last_poll = time.monotonic()
        left = self._deadline - self._last_poll
        if left <= 0:
            raise WaitTimeoutError(f"job {job.id} has not ended after {self._timeout:g} s", retryable=True)
        return (yield from self._poll(job, math.ceil(min(left, _WAIT_SECONDS)), _POLL_SECONDS))


def check_succeeded(job: Job) -> None:
    """Raise JobFailedError unless a job that has ended succeeded."""
    if job.state != "succeeded":
        raise JobFailedError(job)
