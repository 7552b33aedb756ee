"""What is live, as Redis shows it: models, workers, progress."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from redis import Redis
from rq.utils import as_text

from worker.contracts.catalog import CatalogEntry, PausedWorker, SetAside, SetAsides, WorkerEntry
from worker.contracts.queue.counters import COUNTERS_KEY, Count, CountName
from worker.contracts.queue.events import JobEvent
from worker.contracts.queue.redis_keys import (
    DISTILLED_FIELD,
    LIVE_TTL_SECONDS,
    MODELS_KEY,
    PAUSED_KEYS,
    SEEN_KEY,
    STARTED_FIELD,
    WORKER_KEYS,
    cancel_key,
    progress_key,
    set_aside_key,
)

M = TypeVar("M", bound=BaseModel)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    images: Mapping[int, int]
    """Images rendered, by shard."""
    started: float | None
    """Seconds since the epoch."""
    learnt: float | None = None
    """How much of its style the generator has learnt, from 0 to 1."""


class ClusterState:
    """Reads what workers announce, and flags what they should stop."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def models(self) -> dict[str, CatalogEntry]:
        """List the models that any worker has ever announced, by name."""
        raw = self._redis.hgetall(MODELS_KEY)
        entries = _parsed(raw.values(), CatalogEntry)
        return {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}

    def workers(self) -> list[WorkerEntry]:
        """List the workers that are alive and take tasks."""
        return self._announced(WORKER_KEYS, WorkerEntry)

    def paused(self) -> list[PausedWorker]:
        """List the workers that are alive and take no tasks."""
        return self._announced(PAUSED_KEYS, PausedWorker)

    def _announced(self, pattern: str, kind: type[M]) -> list[M]:
        keys = list(self._redis.scan_iter(pattern, count=1000))
        values = self._redis.mget(keys) if keys else []
        return _parsed((value for value in values if value is not None), kind)

    def set_aside(self) -> Counter[SetAside]:
        """Count the live workers that cannot use a file, by file and reason."""
        keys = [set_aside_key(worker.name) for worker in (*self.workers(), *self.paused())]
        values = self._redis.mget(keys) if keys else []
        found = _parsed((value for value in values if value is not None), SetAsides)
        return Counter(file for each in found for file in each.files)

    def absent(self, now: datetime) -> Callable[[str], timedelta]:
        """Make what tells for how long no worker of some numerics has been seen, as far as this server knows."""
        for name in {worker.numerics.name for worker in (*self.workers(), *self.paused())}:
            self._redis.hset(SEEN_KEY, name, now.timestamp())
        seen = {as_text(name): float(time) for name, time in self._redis.hgetall(SEEN_KEY).items()}

        def absent(numerics: str) -> timedelta:
            # The server may have been emptied, or the clock that wrote this was ahead: count from now on.
            if seen.get(numerics, math.inf) > now.timestamp():
                seen[numerics] = now.timestamp()
                self._redis.hset(SEEN_KEY, numerics, now.timestamp())
            return timedelta(seconds=now.timestamp() - seen[numerics])

        return absent

    def counts(self) -> dict[Count, float]:
        """Read what everybody has counted, but for what another version counts besides."""
        found = {}
        for field, value in self._redis.hgetall(COUNTERS_KEY).items():
            with suppress(ValueError):
                found[Count.model_validate_json(field)] = float(value)
        return found

    def count(self, name: CountName, *labels: str, by: float = 1) -> None:
        """Count what this process did."""
        Count(name=name, labels=labels).add(self._redis, by)

    def progress(self, job_id: str) -> Progress:
        """Read how far a job is."""
        fields = self._redis.hgetall(progress_key(job_id))
        raw = {as_text(key): float(value) for key, value in fields.items()}
        started, learnt = raw.pop(STARTED_FIELD, None), raw.pop(DISTILLED_FIELD, None)
        return Progress({int(shard): int(done) for shard, done in raw.items()}, started, learnt)

    def restore_progress(self, job_id: str, images: Mapping[int, int]) -> None:
        """Write progress back that Redis has lost."""
        with self._redis.pipeline() as pipeline:
            pipeline.hset(progress_key(job_id), mapping={str(shard): done for shard, done in images.items()})
            pipeline.expire(progress_key(job_id), LIVE_TTL_SECONDS)
            pipeline.execute()

    def ring_end(self, job_id: str) -> None:
        """Wake those who wait for the end of a job."""
        JobEvent(job_id=job_id, kind="end").publish(self._redis)

    def flag_cancelled(self, job_id: str) -> None:
        """Make workers stop within one batch."""
        self._redis.set(cancel_key(job_id), 1, ex=LIVE_TTL_SECONDS)


def _parsed(values: Iterable[bytes | str], kind: type[M]) -> list[M]:
    """Parse announcements; one that another version made does not hide the others."""
    entries = []
    for value in values:
        try:
            entries.append(kind.model_validate_json(value))
        except ValidationError as error:
            log.warning("announcement was ignored kind=%s reason=%s", kind.__name__, error.errors()[0]["msg"])
    return entries
