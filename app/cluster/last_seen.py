"""Records in Redis when a live worker of each numerics was last seen. All API processes share the record."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from redis import Redis

from app.cluster.redis_text import redis_text
from worker.contracts.queue.redis_keys import SEEN_KEY


class LastSeen:
    """The time since a worker of each numerics was last seen, at the time of the last update."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._now = math.nan
        self._times = dict[str, float]()
        """Seconds since the epoch, by the name of a numerics."""

    def update(self, live_numerics: Iterable[str], now: datetime) -> None:
        """Record that workers of these numerics are alive, and read when the others were."""
        self._now = now.timestamp()
        for numerics in live_numerics:
            self._redis.hset(SEEN_KEY, numerics, self._now)
        self._times = {redis_text(name): float(time) for name, time in self._redis.hgetall(SEEN_KEY).items()}

    def absent_for(self, numerics: str) -> timedelta:
        """Return the time since a worker of a numerics was last seen. For unknown numerics, it starts now."""
        # Redis may have been emptied, or the clock that wrote this time was ahead: count from now on.
        if self._times.get(numerics, math.inf) > self._now:
            self._times[numerics] = self._now
            self._redis.hset(SEEN_KEY, numerics, self._now)
        return timedelta(seconds=self._now - self._times[numerics])
