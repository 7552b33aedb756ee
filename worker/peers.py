"""The other live workers: a task that this one cannot do is left to them."""

import time
from collections.abc import Callable, Iterable

from pydantic import ValidationError
from redis import Redis

from worker.contracts.catalog import WorkerEntry
from worker.contracts.jobs import JobSpec
from worker.contracts.queue import PAUSED_KEYS, WORKER_KEYS
from worker.pulse import OutageTolerated

_ALONE_SECONDS = 15.0
"""From its start, before a worker that has seen no other takes itself to be alone: a fleet is started together."""


class Peers:
    """Tells which jobs are for others.

    A worker that has been alone since it started leaves nothing to others: nobody is there who could do it. Otherwise a
    task that needs more than this worker has waits in line for one that has it, and the reconciler fails its job when
    none comes.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        numerics: str,
        offers: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._name = name
        self._numerics = numerics
        self.offers = frozenset(offers)
        """What this worker has, by the names of `needs`."""
        self._clock = clock
        self._started = clock()
        self._had_company = False

    def is_theirs(self, spec: JobSpec) -> bool:
        """Tell whether a job needs what this worker lacks, and is for others."""
        if spec.needs in self.offers:
            return False
        return self.have_been_seen() or self._clock() - self._started < _ALONE_SECONDS

    def have_been_seen(self) -> bool:
        """Tell whether another worker of the same numerics is alive, or was when this was asked before."""
        if not self._had_company:
            with OutageTolerated():
                self._had_company = any(self._is_peer(key) for key in self._keys())
        return self._had_company

    def _keys(self) -> list[bytes]:
        return [key for keys in (WORKER_KEYS, PAUSED_KEYS) for key in self._redis.scan_iter(keys, count=1000)]

    def _is_peer(self, key: bytes) -> bool:
        try:
            found = WorkerEntry.model_validate_json(self._redis.get(key) or b"")
        except ValidationError:
            return False
        return found.name != self._name and found.numerics.name == self._numerics
