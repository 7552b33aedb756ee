"""Checks whether a new job would be rendered now, and if not, which part of the service prevents it."""

import logging

from redis.exceptions import RedisError

from app.cluster.cluster_state import ClusterState
from app.errors import unavailable
from app.schemas.health import Parts, Paused, Ready, Workers
from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError, with_advice
from worker.contracts.throttled_log import ThrottledLogger

_OK = "ok"
_CODES = {
    "queue": "queue_unavailable",
    "worker": "no_worker",
    "store": "store_unavailable",
    "disk": "disk_full",
}

log = logging.getLogger(__name__)


class Readiness:
    """Checks each part of the service by itself. Needs a Redis connection with a short timeout."""

    def __init__(self, store: Store, cluster: ClusterState, min_free_mb: int) -> None:
        self._store = store
        self._cluster = cluster
        self._min_free_mb = min_free_mb
        self._throttled_log = ThrottledLogger(log)

    def check(self) -> Ready:
        """Return the state of all parts if all are ready. Otherwise raises ApiError, which names each fault."""
        queue, worker, workers = self._queue_and_workers()
        parts = Parts(queue=queue, worker=worker, store=self._store_state(), disk=self._disk())
        faults = {part: state for part, state in parts if state != _OK}
        if faults:
            # One code for all faults: the first in the order of the parts, because the queue explains missing workers.
            code = _CODES[next(iter(faults))]
            details = {"workers": workers.model_dump()} if workers else {}
            raise unavailable(code, "; ".join(faults.values()), extension={"parts": parts.model_dump(), **details})
        return Ready(parts=parts, workers=workers)

    def _queue_and_workers(self) -> tuple[str, str, Workers | None]:
        try:
            working, paused = self._cluster.workers(), self._cluster.paused()
        except RedisError as error:
            self._throttled_log.warning("redis was not reached", extra=fields(reason=error))
            unknown = "the workers are unknown without the queue server"
            return "the queue server cannot be reached", unknown, None
        found = [Paused(name=worker.name, device=worker.device, reason=worker.reason) for worker in paused]
        workers = Workers(working=len(working), paused=found) if found else None
        return _OK, _OK if any(worker.models for worker in working) else _no_worker(found), workers

    def _store_state(self) -> str:
        try:
            self._store.check_writable()
        except (StoreError, OSError) as error:
            self._throttled_log.warning("store was not written", extra=fields(reason=error))
            return with_advice("the artifact store cannot be written", error)
        return _OK

    def _disk(self) -> str:
        try:
            free = self._store.free_bytes()
        except OSError as error:
            self._throttled_log.warning("disk was not found", extra=fields(reason=error))
            return "the disk of the artifact store cannot be found"
        if free is None or free >= self._min_free_mb * 1_000_000:
            return _OK
        return f"{free // 1_000_000} MB are free on the disk of the artifact store, less than {self._min_free_mb}"


def _no_worker(paused: list[Paused]) -> str:
    if not paused:
        return "no live worker has a model"
    return f"no worker takes tasks; {len(paused)} cannot use the store: {paused[0].reason}"
