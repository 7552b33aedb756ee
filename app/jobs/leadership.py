"""Elects one API process to run the reconciler."""

from uuid import uuid4

from redis import Redis

_KEY = "imagemill:reconciler"
_MIN_TTL_SECONDS = 3


class Leadership:
    """The leadership claim of one process. It expires unless the process renews it."""

    def __init__(self, redis: Redis, every_seconds: float) -> None:
        self._redis = redis
        self._ttl_seconds = max(_MIN_TTL_SECONDS, int(3 * every_seconds))
        self._name = uuid4().hex

    def acquire_or_renew(self) -> bool:
        """Acquire or renew the leadership. Returns False if another process leads."""
        # SET NX succeeds for one process only, as long as the key exists.
        if self._redis.set(_KEY, self._name, nx=True, ex=self._ttl_seconds):
            return True
        is_ours = self._redis.get(_KEY) == self._name.encode()
        # The claim expires at a wall-clock time. If the clock was set back, a dead leader would lead until then.
        if is_ours or self._redis.ttl(_KEY) > self._ttl_seconds:
            self._redis.expire(_KEY, self._ttl_seconds)
        return is_ours
