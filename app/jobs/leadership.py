"""Leadership: of all API processes, one runs the reconciler."""

from uuid import uuid4

from redis import Redis

_KEY = "imagemill:reconciler"
_LEAST_TTL_SECONDS = 3


class Leadership:
    """One process's claim to lead, which ends when the process does not renew it."""

    def __init__(self, redis: Redis, every_seconds: float) -> None:
        self._redis = redis
        self._ttl_seconds = max(_LEAST_TTL_SECONDS, int(3 * every_seconds))
        self._name = uuid4().hex

    def is_ours(self) -> bool:
        """Take the lead or renew it. False when another process leads."""
        if self._redis.set(_KEY, self._name, nx=True, ex=self._ttl_seconds):
            return True
        is_ours = self._redis.get(_KEY) == self._name.encode()
        # It expires at a time of day. If the clock was set back since, a leader that is dead would lead for as long.
        if is_ours or self._redis.ttl(_KEY) > self._ttl_seconds:
            self._redis.expire(_KEY, self._ttl_seconds)
        return is_ours
