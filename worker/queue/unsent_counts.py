"""A worker's own part of the tally, until it goes to Redis with what is sent there anyway."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from redis.client import Pipeline
from redis.exceptions import RedisError

from worker.contracts.queue.counters import Count, Counted, Stage


class UnsentCounts:
    """What was counted and not sent yet. Used by several threads."""

    def __init__(self) -> None:
        self._unsent: dict[Count, float] = defaultdict(float)
        self._lock = Lock()

    def count(self, name: Counted, *labels: str, by: float = 1) -> None:
        """Count; cheap enough for once a batch, and meant for once a shard."""
        self._add({Count(name=name, labels=labels): by})

    @contextmanager
    def timed(self, stage: Stage, style_mode: str) -> Iterator[None]:
        """Count the seconds that something takes, however it ends."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.count("stage_seconds", stage, style_mode, by=time.perf_counter() - began)

    @contextmanager
    def sent_with(self, pipeline: Pipeline) -> Iterator[None]:
        """Put all into a pipeline that is executed in this context; what Redis did not take is sent another time."""
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
