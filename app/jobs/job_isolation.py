"""Keeps an error of the store about one job from the other jobs of a round."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.contracts.logs import fields
from worker.contracts.store.store_errors import DamagedError, StoreError
from worker.contracts.throttled_log import ThrottledLogger


class JobIsolation:
    """Logs errors of the store, and remembers whether there was one that may end by itself."""

    def __init__(self, throttled_log: ThrottledLogger) -> None:
        self._throttled_log = throttled_log
        self.had_store_error = False
        """Whether a job was skipped because the store could not be used. A damaged job does not count."""

    @contextmanager
    def skipping_errors(self, job_id: str) -> Iterator[None]:
        """Log an error of the store about a job, and go on with the next job."""
        try:
            yield
        except DamagedError as error:
            self._throttled_log.error("damaged job was skipped", extra=fields(job_id=job_id, reason=error))
        except (StoreError, OSError) as error:
            self.had_store_error = True
            self._throttled_log.warning(
                "job was skipped until the next round", extra=fields(job_id=job_id, reason=error)
            )
