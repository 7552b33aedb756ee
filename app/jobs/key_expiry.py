"""Shortens Redis keys that would live too long, because the clock of the Redis host was set back."""

from redis import Redis

from app.auth.quota import LOCK_SECONDS
from worker.contracts.queue.redis_keys import LEASE_TTL_SECONDS, SET_ASIDE_TTL_SECONDS, WORKER_TTL_SECONDS

_MAX_TTL_SECONDS = {
    "lease": LEASE_TTL_SECONDS,
    "learning": LEASE_TTL_SECONDS,
    "paused": WORKER_TTL_SECONDS,
    "set-aside": SET_ASIDE_TTL_SECONDS,
    "worker": WORKER_TTL_SECONDS,
    "turn": LOCK_SECONDS,
}
"""Maximum time to live of a key, by the second part of its name."""


def shorten_expiries(redis: Redis) -> None:
    """Reduce the time to live of each key to its maximum.

    Redis stores the wall-clock time at which a key expires. If that clock is set back by a day, the lease of a dead
    worker would last for a day. Live processes keep renewing their own keys.
    """
    max_ttls = {
        key: seconds for key in redis.scan_iter("imagemill:*", count=1000) if (seconds := _max_ttl_seconds(key))
    }
    # Two round trips for all keys: one that reads the times to live, one that shortens them.
    with redis.pipeline(transaction=False) as pipeline:
        for key in max_ttls:
            pipeline.ttl(key)
        ttls = pipeline.execute()
        for (key, seconds), ttl in zip(max_ttls.items(), ttls, strict=True):
            if ttl > seconds:  # Redis returns -1 for a key without expiry and -2 for a missing key
                pipeline.expire(key, seconds)
        pipeline.execute()


def _max_ttl_seconds(key: bytes) -> int | None:
    return _MAX_TTL_SECONDS.get(key.split(b":")[1].decode(errors="replace"))
