"""What a Prometheus sees: the line, the workers, the store and the tally, as they are when it asks.

All but the figures of the process itself is read from Redis and the store, so every API process says the same.
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
from worker.contracts.queue.counters import LABELS, Count, CountName
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.contracts.throttled_log import ThrottledLogger

_COUNTED: Mapping[CountName, str] = {
    "images_rendered": "Images rendered and stored.",
    "stage_seconds": "Seconds that workers spent; rendering includes styling and encoding.",
    "jobs_ended": "Jobs that have ended.",
    "attempts_crashed": "Tasks begun by a worker that died at them, or was held up for so long that others went on.",
    "tasks_dropped": "Tasks left because the store was in trouble.",
    "tasks_requeued": "Tasks that were nowhere, and were queued again by the reconciler.",
    "shards_rejected": "Shards rendered in vain, as another attempt had stored them before.",
    "out_of_memory_halvings": "Times that styling went on with half as much at once, as the device's memory was full.",
}
_ZEROS = {Count(name=name): 0.0 for name, labels in LABELS.items() if not labels}
_ZEROS |= {Count(name="jobs_ended", labels=(outcome,)): 0.0 for outcome in ("succeeded", "failed", "cancelled")}
"""Shown before the first one, as its increase is not seen otherwise."""

log = logging.getLogger(__name__)


class PrometheusCollector(Collector):
    """Reads all that is shown. Wants connections to Redis that fail fast."""

    def __init__(self, store: Store, line: TaskQueue, live: ClusterState) -> None:
        self._store = store
        self._line = line
        self._live = live
        self._process = ProcessCollector(registry=None)
        self._trouble = ThrottledLogger(log)

    def text(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Read everything that can be read now."""
        yield from self._process.collect()
        for place, read in (("store", self._of_store), ("redis", self._of_redis)):
            found = list[Metric]()
            try:
                found += read()
            except (RedisError, StoreError, OSError) as error:
                self._trouble.warning("metrics are incomplete place=%s reason=%s", place, error)
            yield GaugeMetricFamily(f"imagemill_{place}_up", f"Whether the {place} could be read.", value=bool(found))
            yield from found

    def _of_store(self) -> list[Metric]:
        begun, free = [since for _, since in self._store.jobs.open_jobs()], self._store.free_bytes()
        now = datetime.now(UTC)
        age = max(0.0, (now - min(begun, default=now)).total_seconds())
        found = [
            _gauge("open_jobs", "Jobs that have not ended.", len(begun)),
            _gauge("oldest_open_job_age_seconds", "Since its request; 0 when no job is open.", age),
        ]
        if free is not None:
            found.append(_gauge("store_free_bytes", "Free on the disk of the store.", free))
        return found

    def _of_redis(self) -> list[Metric]:
        waiting = GaugeMetricFamily("imagemill_queue_tasks", "Tasks that wait.", labels=("numerics", "jobs"))
        for parts, tasks in self._line.queue_lengths().items():
            waiting.add_metric(parts, tasks)
        working = _workers("workers", "Workers that are alive and take tasks.", self._live.workers())
        paused = _workers("workers_paused", "Workers that are alive and take no tasks.", self._live.paused())
        return [waiting, working, paused, *_counters(_ZEROS | self._live.counts())]


def _workers(name: str, meaning: str, found: Sequence[WorkerEntry | PausedWorker]) -> Metric:
    family = GaugeMetricFamily(f"imagemill_{name}", meaning, labels=("device", "numerics"))
    for labels, number in Counter((worker.device, worker.numerics.name) for worker in found).items():
        family.add_metric(labels, number)
    return family


def _counters(counts: Mapping[Count, float]) -> Iterator[Metric]:
    for name, meaning in _COUNTED.items():
        family = CounterMetricFamily(f"imagemill_{name}", meaning, labels=LABELS[name])
        for count, value in counts.items():
            if count.name == name:
                family.add_metric(count.labels, value)
        yield family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"imagemill_{name}", meaning, value=value)
