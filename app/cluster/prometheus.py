"""Collects the metrics for Prometheus: queue, workers, store and counters.

All metrics but those of the process itself are read from Redis and the store, so every API process reports the same.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from app.cluster.cluster_state import ClusterState
from worker.contracts.catalog import PausedWorker, WorkerEntry
from worker.contracts.logs import fields
from worker.contracts.queue.counters import LABELS, Count, CountName
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.contracts.throttled_log import ThrottledLogger

_COUNTERS: Mapping[CountName, str] = {
    "images_rendered": "Images rendered and stored.",
    "direct_images": "Images rendered for direct requests, which are not stored.",
    "images_stored": "Images stored as files, without those that a quality gate has rejected.",
    "bytes_stored": "Bytes of these files.",
    "stage_seconds": "Seconds that workers spent; rendering includes styling and encoding.",
    "jobs_ended": "Jobs that have ended.",
    "attempts_crashed": "Attempts whose worker died, or stalled until another worker took the task over.",
    "tasks_dropped": "Tasks that workers gave back because of an error of the store.",
    "tasks_requeued": "Lost tasks that the reconciler queued again.",
    "shards_rejected": "Shards that were rendered but discarded, because another attempt had committed them.",
    "out_of_memory_halvings": "Times that styling halved its portion, because the device was out of memory.",
}
_INITIAL_COUNTS = {Count(name=name): 0.0 for name, labels in LABELS.items() if not labels}
_INITIAL_COUNTS |= {
    Count(name="jobs_ended", labels=(outcome,)): 0.0 for outcome in ("succeeded", "failed", "cancelled")
}
"""Counters that are shown before they are first incremented. Prometheus cannot see the first increase otherwise."""

log = logging.getLogger(__name__)


class PrometheusCollector(Collector):
    """Reads all metrics at each scrape. Needs Redis connections with a short timeout."""

    def __init__(self, store: Store, queue: TaskQueue, cluster: ClusterState) -> None:
        self._store = store
        self._queue = queue
        self._cluster = cluster
        self._process = ProcessCollector(registry=None)
        self._throttled_log = ThrottledLogger(log)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics that can be read now. Without Redis or the store, the others are still yielded."""
        yield from self._process.collect()
        for place, read in (("store", self._store_metrics), ("redis", self._redis_metrics)):
            found = list[Metric]()
            try:
                found += read()
            except (RedisError, StoreError, OSError) as error:
                self._throttled_log.warning("metrics are incomplete", extra=fields(place=place, reason=error))
            yield GaugeMetricFamily(f"imagemill_{place}_up", f"Whether the {place} could be read.", value=bool(found))
            yield from found

    def _store_metrics(self) -> list[Metric]:
        created, free = [since for _, since in self._store.jobs.open_jobs()], self._store.free_bytes()
        now = datetime.now(UTC)
        # Not below zero, because the clock of the store may be ahead.
        age = max(0.0, (now - min(created, default=now)).total_seconds())
        found = [
            _gauge("open_jobs", "Jobs that have not ended.", len(created)),
            _gauge("oldest_open_job_age_seconds", "Age of the oldest open job; 0 when no job is open.", age),
        ]
        if free is not None:
            found.append(_gauge("store_free_bytes", "Free bytes on the disk of the store.", free))
        return found

    def _redis_metrics(self) -> list[Metric]:
        waiting = GaugeMetricFamily("imagemill_queue_tasks", "Tasks in the queue.", labels=("numerics", "jobs"))
        for parts, tasks in self._queue.queue_lengths().items():
            waiting.add_metric(parts, tasks)
        working = _workers("workers", "Workers that are alive and take tasks.", self._cluster.workers())
        paused = _workers("workers_paused", "Workers that are alive and take no tasks.", self._cluster.paused())
        return [waiting, working, paused, *_counters(_INITIAL_COUNTS | self._cluster.counts())]


def _workers(name: str, meaning: str, found: Sequence[WorkerEntry | PausedWorker]) -> Metric:
    family = GaugeMetricFamily(f"imagemill_{name}", meaning, labels=("device", "numerics"))
    for labels, number in Counter((worker.device, worker.numerics.name) for worker in found).items():
        family.add_metric(labels, number)
    return family


def _counters(counts: Mapping[Count, float]) -> Iterator[Metric]:
    for name, meaning in _COUNTERS.items():
        family = CounterMetricFamily(f"imagemill_{name}", meaning, labels=LABELS[name])
        for count, value in counts.items():
            if count.name == name:
                family.add_metric(count.labels, value)
        yield family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"imagemill_{name}", meaning, value=value)
