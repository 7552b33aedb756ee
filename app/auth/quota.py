"""Enforces the limits of API keys. Open jobs are counted in the store, so the count is never wrong."""

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import NamedTuple

from anyio import CapacityLimiter
from redis import Redis
from redis.exceptions import RedisError

from app.auth.api_keys import Caller
from app.cluster.cluster_state import ClusterState
from app.errors import ApiError, unavailable
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

LOCK_SECONDS, _LOCK_WAIT_SECONDS, _LOCK_POLL_SECONDS = 30, 10, 0.005
"""Expiry of an owner's lock, the longest wait for it, and the interval between two attempts to acquire it."""
_RETRY_AFTER_SECONDS = 5


class Usage(NamedTuple):
    """Open images and jobs of an owner."""

    images: int
    """Images of open jobs that are not rendered yet, with those that selections are expected to reject."""
    jobs: int
    """Open jobs."""


class Quota:
    """Admits jobs within the limits of their owner, one request of an owner at a time."""

    def __init__(self, redis: Redis, store: Store, cluster: ClusterState) -> None:
        self._redis = redis
        self._store = store
        self._cluster = cluster
        self._specs: dict[str, JobSpec | None] = {}
        """Cache of the specifications that the last count read. A specification never changes."""
        self._limiters: defaultdict[str, CapacityLimiter] = defaultdict(lambda: CapacityLimiter(1))

    def limiter_for(self, caller: Caller) -> CapacityLimiter | None:
        """Return the concurrency limiter of an owner, or None for a caller without limits.

        It runs one request of the owner at a time. The others wait without a thread.
        """
        return self._limiters[caller.owner] if _is_limited(caller) else None

    def usage(self, caller: Caller) -> Usage | None:
        """Return the usage of an owner now; None for a caller without limits."""
        return self._usage(caller.owner) if _is_limited(caller) else None

    @contextmanager
    def reserve(self, caller: Caller, n: int) -> Iterator[Usage | None]:
        """Hold the owner's lock while the caller stores a job of n images. From then on the job is counted.

        Yields the usage with the new job, or None for a caller without limits. Raises ApiError if a limit is exceeded.
        """
        if not _is_limited(caller):
            yield None
            return
        # Without the lock, simultaneous requests would all count the same usage and exceed the limit together.
        lock = self._redis.lock(f"imagemill:turn:{caller.owner}", LOCK_SECONDS, _LOCK_POLL_SECONDS)
        if not lock.acquire(blocking_timeout=_LOCK_WAIT_SECONDS):
            raise unavailable("busy", "too many concurrent requests with this key")
        try:
            used = self._usage(caller.owner)
            check_limits(caller, used, n)
            yield Usage(used.images + n, used.jobs + 1)
        finally:
            with suppress(RedisError):  # the lock expires by itself
                lock.release()

    def _usage(self, owner: str) -> Usage:
        known = self._specs
        specs = {job_id: known.get(job_id) or self._spec(job_id) for job_id, _ in self._store.jobs.open_jobs()}
        # Replace the cache at the end: threads that count for other owners use it at the same time.
        self._specs = specs
        own = [spec for spec in specs.values() if spec and spec.owner == owner and self._is_open(spec)]
        return Usage(sum(map(self._left, own)), len(own))

    def _spec(self, job_id: str) -> JobSpec | None:
        try:
            return self._store.jobs.spec(job_id)
        except DamagedError:
            return None  # a corrupted job is never rendered

    def _is_open(self, spec: JobSpec) -> bool:
        try:
            return self._store.jobs.state(spec.id) is None
        except DamagedError:
            return False

    def _left(self, spec: JobSpec) -> int:
        # Workers report images that the gate accepts, so each stands for several candidates.
        new = spec.n - spec.inherited
        missing = max(0, new - sum(self._cluster.progress(spec.id).images.values()))
        return math.ceil(spec.expected_candidates * missing / new)


def check_limits(caller: Caller, used: Usage, n: int) -> None:
    """Raise ApiError if a job of n images, added to the usage, exceeds a limit of the caller."""
    if caller.max_jobs is not None and used.jobs >= caller.max_jobs:
        raise _refusal(caller, used, "jobs", f"this key may have {caller.max_jobs} open jobs and has {used.jobs}")
    if caller.max_images is not None and used.images + n > caller.max_images:
        detail = f"this key may have {caller.max_images} open images; {used.images} are open, and {n} are requested"
        raise _refusal(caller, used, "images", detail)


def rate_limit_headers(caller: Caller, used: Usage | None) -> dict[str, str]:
    """Return the limits and the remaining quota as headers. Source: draft-ietf-httpapi-ratelimit-headers-10.

    There is no time window, because quota returns with progress. The units images and jobs are our own; the draft only
    defines requests and bytes.
    """
    if used is None:
        return {}
    limits = {"images": (caller.max_images, used.images), "jobs": (caller.max_jobs, used.jobs)}
    known = {unit: (most, max(0, most - used_units)) for unit, (most, used_units) in limits.items() if most is not None}
    return {
        "RateLimit-Policy": ", ".join(f'"{unit}";q={most};qu="{unit}"' for unit, (most, _) in known.items()),
        "RateLimit": ", ".join(f'"{unit}";r={left}' for unit, (_, left) in known.items()),
    }


def _is_limited(caller: Caller) -> bool:
    return (caller.max_images, caller.max_jobs) != (None, None)


def _refusal(caller: Caller, used: Usage, unit: str, detail: str) -> ApiError:
    status, code = HTTPStatus.TOO_MANY_REQUESTS, f"too_many_{unit}"
    return ApiError(
        status, code, detail, retry_after_seconds=_RETRY_AFTER_SECONDS, headers=rate_limit_headers(caller, used)
    )
