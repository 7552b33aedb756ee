"""Decides which jobs must fail, because no live worker has been able to render them for too long."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.cluster.first_seen import CERTAIN_SECONDS, FirstSeen
from app.cluster.last_seen import LastSeen
from worker.contracts.catalog import WorkerEntry
from worker.contracts.job_state import JobError
from worker.contracts.jobs import JobSpec

MAX_WORKER_ABSENCE = timedelta(hours=24)
"""How long a job waits for a worker of its numerics. Workers of other numerics would render other bytes."""
MAX_MODEL_ABSENCE_SECONDS = 600.0
"""How long a job waits for a worker with its model, and with the VGG19 weights of its style.

Long enough to restart a worker, or to copy a checkpoint to another one.
"""


class WorkerAbsence:
    """Measures the absence of workers and models.

    The absence of workers outlasts restarts of the API, so it is measured by the wall clock. It must hold at every
    check for 15 minutes. The absence of a model is measured by a monotonic clock, and only while a worker of the job's
    numerics is alive.
    """

    def __init__(self, redis: Redis, cluster: ClusterState, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._last_seen = LastSeen(redis)
        self._workers_absent, self._models_absent = FirstSeen(), FirstSeen()

    def find_errors(self, specs: Iterable[JobSpec], now: datetime) -> dict[str, JobError]:
        """Return the errors of the jobs that must fail, by job id. `specs` are all open jobs."""
        workers = self._cluster.live_workers()
        self._last_seen.update({worker.numerics.name for worker in workers}, now)
        unserved, lacking = list[JobSpec](), list[JobSpec]()
        for spec in specs:
            if self._last_seen.absent_for(spec.model.numerics.name) > MAX_WORKER_ABSENCE:
                unserved.append(spec)
            elif _is_model_absent(spec, workers):
                lacking.append(spec)
        no_worker = self._workers_absent.observe(map(_numerics, unserved), CERTAIN_SECONDS, self._clock())
        no_model = self._models_absent.observe(map(_needs, lacking), MAX_MODEL_ABSENCE_SECONDS, self._clock())
        errors = {spec.id: _no_worker(spec) for spec in unserved if _numerics(spec) in no_worker}
        return errors | {spec.id: _model_unavailable(spec) for spec in lacking if _needs(spec) in no_model}


def _numerics(spec: JobSpec) -> str:
    return spec.model.numerics.name


def _needs(spec: JobSpec) -> str:
    return f"{spec.model.numerics.name} {spec.needs}"


def _is_model_absent(spec: JobSpec, workers: Iterable[WorkerEntry]) -> bool:
    """Return whether workers of a job's numerics are alive, but none has its model and other files."""
    peers = [worker for worker in workers if worker.numerics.name == spec.model.numerics.name]
    return bool(peers) and not any(worker.offers(spec.needs) for worker in peers)


def _no_worker(spec: JobSpec) -> JobError:
    hours = MAX_WORKER_ABSENCE // timedelta(hours=1)
    message = f"for {hours} hours no worker with the numerics {spec.model.numerics.name} was alive"
    return JobError(code="no_worker", message=message)


def _model_unavailable(spec: JobSpec) -> JobError:
    styled = " and the VGG19 weights of its style" if spec.style else ""
    gated = f" and the quality gate {spec.selection.gate[:12]}" if spec.selection and spec.selection.gate else ""
    model = f"model {spec.model.name} ({spec.model.sha256[:12]})"
    message = f"for {MAX_MODEL_ABSENCE_SECONDS / 60:.0f} minutes no live worker had the {model}{styled}{gated}"
    return JobError(code="model_unavailable", message=message)
