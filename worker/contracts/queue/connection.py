"""Connections to Redis that fail fast."""

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.retry import Retry

_RETRY_SECONDS = 0.05
_CONNECT_SECONDS = 2.0


def connect(url: str, timeout_seconds: float, retries: int = 1, password: bytes | None = None) -> Redis:
    """Open a connection pool that fails fast: after one quick retry, the error is raised."""
    retry = Retry(ConstantBackoff(_RETRY_SECONDS), retries)
    # A host that is down does not refuse connections, so they need a time limit of their own.
    connecting = min(_CONNECT_SECONDS, timeout_seconds)
    return Redis.from_url(
        url,
        password=password,
        retry=retry,
        socket_connect_timeout=connecting,
        socket_timeout=timeout_seconds,
    )


def connect_async(url: str, timeout_seconds: float, password: bytes | None = None) -> AsyncRedis:
    """Open an asyncio connection pool that fails as fast."""
    retry = AsyncRetry(ConstantBackoff(_RETRY_SECONDS), 1)
    return AsyncRedis.from_url(
        url,
        password=password,
        retry=retry,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=timeout_seconds,
    )
