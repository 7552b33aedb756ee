"""Measures how long no live worker has had the model of a job, while workers of its numerics were alive."""

import time
from collections.abc import Callable

from app.cluster.cluster_state import ClusterState
from worker.contracts.catalog import WorkerEntry
from worker.contracts.jobs import JobSpec

ABSENCE_SECONDS = 600.0
"""How long a job waits for a worker with its model, or with the weights of its style.

Long enough to restart a worker, or to copy a checkpoint to another one.
"""


class ModelAbsence:
    """Counts the absence of a model from the first update that found it absent, by a monotonic clock.

    While no worker of a job's numerics is alive, the absence of its model is not counted.
    """

    def __init__(self, cluster: ClusterState, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._workers: list[WorkerEntry] = []
        self._since: dict[tuple[str, str], float] = {}

    def update(self) -> None:
        """Read the live workers, paused ones included, because they will return. Forget models that one of them has."""
        self._workers = [*self._cluster.workers(), *self._cluster.paused()]
        self._since = {key: since for key, since in self._since.items() if self._is_absent(*key)}

    def is_too_long(self, spec: JobSpec) -> bool:
        """Return whether a job has waited too long for a worker with its model and the weights of its style."""
        key = (spec.model.numerics.name, spec.needs)
        if not self._is_absent(*key):
            return False
        return self._clock() - self._since.setdefault(key, self._clock()) > ABSENCE_SECONDS

    def _is_absent(self, numerics: str, needs: str) -> bool:
        peers = [worker for worker in self._workers if worker.numerics.name == numerics]
        return bool(peers) and not any(worker.offers(needs) for worker in peers)
