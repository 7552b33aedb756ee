"""The live state in Redis: models, workers, counters and the progress of jobs."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from redis import Redis

from app.cluster.redis_text import redis_text
from worker.contracts.catalog import CatalogEntry, ModelFacts, PausedWorker, SetAside, SetAsides, WorkerEntry
from worker.contracts.costs import WorkerCosts
from worker.contracts.logs import fields
from worker.contracts.queue.counters import COUNTERS_KEY, Count, CountName
from worker.contracts.queue.events import JobEvent
from worker.contracts.queue.redis_keys import (
    DISTILLED_FIELD,
    LIVE_TTL_SECONDS,
    MODEL_FACTS_KEY,
    MODELS_KEY,
    PAUSED_KEYS,
    STARTED_FIELD,
    WORKER_KEYS,
    cancel_key,
    costs_key,
    progress_key,
    set_aside_key,
)

M = TypeVar("M", bound=BaseModel)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job."""

    images: Mapping[int, int]
    """Number of rendered images, by shard."""
    started: float | None
    """When rendering started, in seconds since the epoch."""
    learnt: float | None = None
    """Share of the training of the job's distilled model that is done, from 0 to 1."""


class ClusterState:
    """Reads what workers announce, and sends them and the waiting requests signals."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def models(self) -> dict[str, CatalogEntry]:
        """Return the models that any worker has ever announced, by name."""
        raw = self._redis.hgetall(MODELS_KEY)
        entries = _parsed(raw.values(), CatalogEntry)
        return {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}

    def all_facts(self) -> dict[str, ModelFacts]:
        """Return the facts about all models, by the sha256 of the model."""
        found = _parsed(self._redis.hvals(MODEL_FACTS_KEY), ModelFacts)
        return {facts.model_sha256: facts for facts in found}

    def facts(self, model_sha256: str) -> ModelFacts | None:
        """Return the facts about one model."""
        raw = self._redis.hget(MODEL_FACTS_KEY, model_sha256)
        return next(iter(_parsed([raw], ModelFacts)), None) if raw is not None else None

    def workers(self) -> list[WorkerEntry]:
        """Return the live workers that take tasks."""
        return self._announced(WORKER_KEYS, WorkerEntry)

    def paused(self) -> list[PausedWorker]:
        """Return the live workers that take no tasks."""
        return self._announced(PAUSED_KEYS, PausedWorker)

    def live_workers(self) -> list[WorkerEntry]:
        """Return all live workers, paused ones included, because they will return."""
        return [*self.workers(), *self.paused()]

    def _announced(self, pattern: str, kind: type[M]) -> list[M]:
        # SCAN, because KEYS would block Redis.
        keys = list(self._redis.scan_iter(pattern, count=1000))
        values = self._redis.mget(keys) if keys else []
        return _parsed((value for value in values if value is not None), kind)

    def set_aside(self) -> Counter[SetAside]:
        """Return how many live workers cannot use a checkpoint, by file and reason."""
        keys = [set_aside_key(worker.name) for worker in self.live_workers()]
        values = self._redis.mget(keys) if keys else []
        found = _parsed((value for value in values if value is not None), SetAsides)
        return Counter(file for each in found for file in each.files)

    def costs(self, workers: Iterable[WorkerEntry]) -> list[WorkerCosts]:
        """Return the measured costs of live workers. Those of a worker that is still measuring are missing."""
        keys = [costs_key(worker.name) for worker in workers]
        values = self._redis.mget(keys) if keys else []
        return _parsed((value for value in values if value is not None), WorkerCosts)

    def counts(self) -> dict[Count, float]:
        """Return the counters of all processes. Counters that this version does not know are left out."""
        found = {}
        for field, value in self._redis.hgetall(COUNTERS_KEY).items():
            with suppress(ValueError):  # pydantic's ValidationError is one
                found[Count.model_validate_json(field)] = float(value)
        return found

    def count(self, name: CountName, *labels: str, by: float = 1) -> None:
        """Increment a counter."""
        Count(name=name, labels=labels).add(self._redis, by)

    def progress(self, job_id: str) -> Progress:
        """Return the progress of a job."""
        fields = self._redis.hgetall(progress_key(job_id))
        raw = {redis_text(key): float(value) for key, value in fields.items()}
        started, learnt = raw.pop(STARTED_FIELD, None), raw.pop(DISTILLED_FIELD, None)
        return Progress({int(shard): int(done) for shard, done in raw.items()}, started, learnt)

    def restore_progress(self, job_id: str, images: Mapping[int, int]) -> None:
        """Write progress that Redis has lost back to it."""
        with self._redis.pipeline() as pipeline:
            pipeline.hset(progress_key(job_id), mapping={str(shard): done for shard, done in images.items()})
            pipeline.expire(progress_key(job_id), LIVE_TTL_SECONDS)
            pipeline.execute()

    def publish_end(self, job_id: str) -> None:
        """Publish that a job has ended."""
        JobEvent(job_id=job_id, kind="end").publish(self._redis)

    def flag_cancelled(self, job_id: str) -> None:
        """Tell workers to stop rendering a job; they do within one batch."""
        self._redis.set(cancel_key(job_id), 1, ex=LIVE_TTL_SECONDS)


def _parsed(values: Iterable[bytes | str], kind: type[M]) -> list[M]:
    """Parse announcements. One of an incompatible version is logged and skipped."""
    entries = []
    for value in values:
        try:
            entries.append(kind.model_validate_json(value))
        except ValidationError as error:
            log.warning("announcement was ignored", extra=fields(kind=kind.__name__, reason=error.errors()[0]["msg"]))
    return entries
