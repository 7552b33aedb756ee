"""Counts of a worker until they are added to the counters in Redis."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from redis.client import Pipeline
from redis.exceptions import RedisError

from worker.contracts.queue.counters import Count, CountName, Stage


class UnsentCounts:
    """Counts that are not sent yet. Used by several threads."""

    def __init__(self) -> None:
        self._unsent: dict[Count, float] = defaultdict(float)
        self._lock = Lock()

    def count(self, name: CountName, *labels: str, by: float = 1) -> None:
        """Add to a count. Meant for once a shard, and cheap enough for once a batch."""
        self._add({Count(name=name, labels=labels): by})

    @contextmanager
    def timed(self, stage: Stage, style_mode: str) -> Iterator[None]:
        """Count the seconds that the context takes, even if it raises."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.count("stage_seconds", stage, style_mode, by=time.perf_counter() - began)

    @contextmanager
    def sent_with(self, pipeline: Pipeline) -> Iterator[None]:
        """Add all counts to a pipeline, which the context must execute.

        If Redis fails, the counts are kept for the next pipeline.
        """
        # Counts that other threads add from now on belong to the next pipeline.
        with self._lock:
            sent, self._unsent = self._unsent, defaultdict(float)
        for count, by in sent.items():
            count.add(pipeline, by)
        try:
            yield
        except RedisError:
            self._add(sent)
            raise

    def _add(self, counts: dict[Count, float]) -> None:
        with self._lock:
            for count, by in counts.items():
                self._unsent[count] += by
