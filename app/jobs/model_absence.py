"""Measures how long no live worker has had the model that a job needs, while other workers were alive."""

import time
from collections.abc import Callable

from app.cluster.cluster_state import ClusterState
from worker.contracts.catalog import WorkerEntry
from worker.contracts.jobs import JobSpec

ABSENCE_SECONDS = 600.0
"""How long a job waits for a worker with its model, or with the weights of its style.

Long enough to start a worker again, or to bring a checkpoint to the next one.
"""


class ModelAbsence:
    """Measured by this process's own clock, from when it first saw that something is absent.

    While no worker of a job's numerics is alive, nothing counts: the job waits for one of any kind first.
    """

    def __init__(self, live: ClusterState, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._clock = clock
        self._workers: list[WorkerEntry] = []
        self._since: dict[tuple[str, str], float] = {}

    def look(self) -> None:
        """Read which workers are alive, paused ones too, as they return; forget what one of them has."""
        self._workers = [*self._live.workers(), *self._live.paused()]
        self._since = {key: since for key, since in self._since.items() if self._is_absent(*key)}

    def is_too_long(self, spec: JobSpec) -> bool:
        """Tell whether a job has waited long enough for a worker that has what it needs."""
        key = (spec.model.numerics.name, spec.needs)
        if not self._is_absent(*key):
            return False
        return self._clock() - self._since.setdefault(key, self._clock()) > ABSENCE_SECONDS

    def _is_absent(self, numerics: str, needs: str) -> bool:
        peers = [worker for worker in self._workers if worker.numerics.name == numerics]
        return bool(peers) and not any(worker.offers(needs) for worker in peers)
