"""Whether a job that came now would be rendered, and if not, which part of the service it is."""

import logging

from redis.exceptions import RedisError

from app.errors import unavailable
from app.live import Live
from app.schemas import Parts
from worker.contracts.artifacts import Artifacts, StoreError

_OK = "ok"
_CODES = {
    "queue": "queue_unavailable",
    "worker": "no_worker",
    "store": "store_unavailable",
    "disk": "disk_full",
}

log = logging.getLogger(__name__)


class Readiness:
    """Looks at each part by itself. Wants a connection to Redis that fails fast."""

    def __init__(self, artifacts: Artifacts, live: Live, min_free_mb: int) -> None:
        self._artifacts = artifacts
        self._live = live
        self._min_free_mb = min_free_mb

    def check(self) -> Parts:
        """Tell that all parts are well; raises ApiError, with what is wrong with each, unless they are."""
        queue, worker = self._queue_and_worker()
        parts = Parts(queue=queue, worker=worker, store=self._store(), disk=self._disk())
        faults = {part: said for part, said in parts if said != _OK}
        if faults:
            code = _CODES[next(iter(faults))]
            raise unavailable(code, "; ".join(faults.values()), extension={"parts": parts.model_dump()})
        return parts

    def _queue_and_worker(self) -> tuple[str, str]:
        try:
            workers = self._live.workers()
        except RedisError as error:
            log.warning("redis was not reached reason=%s", error)
            return "the queue server cannot be reached just now", "the workers are not known without the queue server"
        return _OK, _OK if any(worker.models for worker in workers) else "no live worker has a model"

    def _store(self) -> str:
        try:
            self._artifacts.check_writable()
        except (StoreError, OSError) as error:
            log.warning("store was not written reason=%s", error)
            return "the artifact store cannot be written just now"
        return _OK

    def _disk(self) -> str:
        try:
            free = self._artifacts.free_bytes()
        except OSError as error:
            log.warning("disk was not found reason=%s", error)
            return "the disk of the artifact store cannot be found"
        if free is None or free >= self._min_free_mb * 1_000_000:
            return _OK
        return f"{free // 1_000_000} MB are free on the disk of the artifact store, less than {self._min_free_mb}"
