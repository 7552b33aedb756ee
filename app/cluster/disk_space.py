"""Reserves disk space for open jobs, so that all accepted jobs fit on the disk together.

Redis holds the reservations, so that all API processes share them. They can be restored from the store.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from http import HTTPStatus
from threading import Lock

from redis import Redis
from redis.exceptions import RedisError

from app.cluster.first_seen import FirstSeen
from app.cluster.job_bytes import bytes_left
from app.cluster.redis_text import redis_text
from app.errors import ApiError
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_KEY = "imagemill:room"
"""Redis hash of job id to reserved bytes, and their sum. If the sum is missing, Redis has been emptied."""
_TOTAL = "total"
_REFRESH_SECONDS = 1.0
"""Minimum interval between two reads of the store, however many requests are refused."""
_CREATING_SECONDS = 60
"""Time in which a request stores its job after the reservation. A reservation without a job is stale after it."""
_RETRY_AFTER_SECONDS = 60

# Arguments: job id, its bytes, the limit of the total, and whether an unknown total counts as zero.
# Returns a _Result and the total. One script, so that two processes cannot reserve the same bytes.
_RESERVE_SCRIPT = """
local total = redis.call('HGET', KEYS[1], 'total')
if not total and ARGV[4] == '0' then
    return {-1, 0}
end
total = tonumber(total or 0)
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
    return {1, total}
end
if total + tonumber(ARGV[2]) > tonumber(ARGV[3]) then
    return {0, total}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[1], 'total', ARGV[2])
return {2, total}
"""

# The total is formatted, because Lua writes large numbers with an exponent, which HINCRBY rejects.
_SET_SCRIPT = """
for k = 1, #ARGV, 2 do
    if ARGV[k + 1] == '0' then
        redis.call('HDEL', KEYS[1], ARGV[k])
    else
        redis.call('HSET', KEYS[1], ARGV[k], ARGV[k + 1])
    end
end
local total, fields = 0, redis.call('HGETALL', KEYS[1])
for k = 1, #fields, 2 do
    if fields[k] ~= 'total' then
        total = total + tonumber(fields[k + 1])
    end
end
redis.call('HSET', KEYS[1], 'total', string.format('%.0f', total))
"""


class _Result(IntEnum):
    """The result of a reservation."""

    UNKNOWN = -1
    """Redis has been emptied, so the reserved total is unknown."""
    REFUSED = 0
    EXISTED = 1
    """The job already had a reservation."""
    CREATED = 2


class DiskSpace:
    """Reserves disk space for jobs. A bucket has no limit, so nothing is reserved there."""

    def __init__(
        self,
        redis: Redis,
        store: Store,
        free_bytes: Callable[[], int | None],
        min_free_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._store = store
        self._free_bytes = free_bytes
        self._min_free_bytes = min_free_bytes
        """Bytes of the disk that must stay free."""
        self._clock = clock
        self._reserve_script = redis.register_script(_RESERVE_SCRIPT)
        self._set_script = redis.register_script(_SET_SCRIPT)
        self._refreshing = Lock()
        self._refreshed = -_REFRESH_SECONDS
        self._stale_since = FirstSeen()

    @contextmanager
    def reserve(self, spec: JobSpec) -> Iterator[None]:
        """Reserve the space of a job; release it if the block raises. Raises ApiError if the space is not free."""
        is_new = self._try_reserve(spec.id, bytes_left(spec))
        try:
            yield
        except Exception:
            if is_new:
                self.release(spec.id)
            raise

    def check_job(self, spec: JobSpec) -> None:
        """Raise the ApiError with which `reserve` would refuse a job now. Nothing is written."""
        needed, free = bytes_left(spec), self._free_bytes()
        if free is None:
            return
        most, total = max(0, free - self._min_free_bytes), self._redis.hget(_KEY, _TOTAL)
        reserved = int(total) if total is not None else None
        if reserved is None or reserved + needed > most:
            # Jobs have written data since they reserved space, as in `_try_reserve`.
            reserved = self._reserved_by_store()
        if reserved + needed > most:
            raise self._refusal(needed, free, reserved)

    def require_free(self, needed: int) -> None:
        """Raise ApiError unless `needed` bytes are free and not reserved."""
        if not self._has_space(needed):
            self._refresh(is_urgent=False)
            if not self._has_space(needed):
                raise self._refusal(needed, self._free_bytes() or 0, self._total_reserved())

    def _has_space(self, needed: int) -> bool:
        free = self._free_bytes()
        return free is None or self._total_reserved() + needed <= free - self._min_free_bytes

    def fits(self, needed: int) -> bool:
        """Return whether the disk has `needed` bytes free, whatever is reserved."""
        free = self._free_bytes()
        return free is None or needed <= free

    def release(self, *job_ids: str) -> None:
        """Release the reservations of jobs. If Redis cannot be reached, `reconcile` releases them later."""
        if self._free_bytes() is not None and job_ids:
            with suppress(RedisError):
                self._set_reservations(dict.fromkeys(job_ids, 0))

    def reconcile(self, open_jobs: Iterable[str]) -> None:
        """Add missing reservations of open jobs, and release those of other jobs. Call it regularly.

        A failed request may leave a job without a reservation, or a reservation without a job.
        """
        if self._free_bytes() is None:
            return
        reserved_ids, open_ids = self._reserved_jobs(), set(open_jobs)
        added = {job_id: needed for job_id in open_ids - reserved_ids if (needed := self._bytes_left(job_id))}
        surplus = reserved_ids - open_ids
        ended = {job_id for job_id in surplus if self._bytes_left(job_id) == 0}
        stale = self._stale_since.observe(surplus - ended, _CREATING_SECONDS, self._clock())
        # A surplus reservation without a job may belong to a request that has not stored its job yet.
        if changes := added | dict.fromkeys(ended | stale, 0):
            self._set_reservations(changes)

    def _try_reserve(self, job_id: str, needed: int) -> bool:
        """Reserve bytes for a job. Returns False if the store is a bucket or the job already had a reservation."""
        free = self._free_bytes()
        if free is None:
            return False
        result, reserved = self._run_reserve_script(job_id, needed, free)
        if result in (_Result.UNKNOWN, _Result.REFUSED):
            # Jobs have written data since they reserved space. Refuse only after the store confirms the reservations.
            self._refresh(is_urgent=result is _Result.UNKNOWN)
            free = self._free_bytes() or 0
            result, reserved = self._run_reserve_script(job_id, needed, free, is_refreshed=True)
        if result is _Result.REFUSED:
            raise self._refusal(needed, free, reserved)
        return result is _Result.CREATED

    def _run_reserve_script(
        self, job_id: str, needed: int, free: int, *, is_refreshed: bool = False
    ) -> tuple[_Result, int]:
        most = max(0, free - self._min_free_bytes)
        result, reserved = self._reserve_script(keys=[_KEY], args=[job_id, needed, most, int(is_refreshed)])
        return _Result(result), int(reserved)

    def _refresh(self, *, is_urgent: bool = True) -> None:
        """Replace the reservation of each open job by the bytes that it still needs according to the store."""
        # Requests that are refused at the same time wait for one refresh, and do not start one each.
        with self._refreshing:
            if not is_urgent and self._clock() < self._refreshed + _REFRESH_SECONDS:
                return
            left = self._left_of_jobs(self._reserved_jobs())
            self._set_reservations({job_id: needed for job_id, needed in left.items() if needed is not None})
            self._refreshed = self._clock()

    def _left_of_jobs(self, reserved_ids: set[str]) -> dict[str, int | None]:
        """Return the bytes that each open job, and each of these, still needs according to the store."""
        job_ids = reserved_ids | {job_id for job_id, _ in self._store.jobs.open_jobs()}
        return {job_id: self._bytes_left(job_id) for job_id in job_ids}

    def _reserved_by_store(self) -> int:
        reserved = {redis_text(key): int(value) for key, value in self._redis.hgetall(_KEY).items()}
        left = self._left_of_jobs(reserved.keys() - {_TOTAL})
        return sum(reserved.get(job_id, 0) if needed is None else needed for job_id, needed in left.items())

    def _bytes_left(self, job_id: str) -> int | None:
        """Return the bytes that a job may still need: 0 if it has ended, None if it is not in the store."""
        try:
            spec, state = self._store.jobs.spec(job_id), self._store.jobs.state(job_id)
        except DamagedError:
            return 0  # a corrupted job is never rendered
        if state is not None:
            return 0
        return None if spec is None else bytes_left(spec, self._stored_images(spec))

    def _stored_images(self, spec: JobSpec) -> int:
        if spec.selection is None:
            committed = self._store.shards.committed(spec.id)
            return spec.inherited + sum(len(spec.shard_indices(shard)) for shard in committed)
        with suppress(DamagedError):  # a damaged shard is rendered again
            return sum(self._store.choices.current(spec).kept)
        return spec.inherited

    def _reserved_jobs(self) -> set[str]:
        return {redis_text(job_id) for job_id in self._redis.hkeys(_KEY)} - {_TOTAL}

    def _total_reserved(self) -> int:
        with suppress(RedisError):  # a style image can be stored without Redis
            return int(self._redis.hget(_KEY, _TOTAL) or 0)
        return 0

    def _set_reservations(self, left: dict[str, int]) -> None:
        self._set_script(keys=[_KEY], args=[part for pair in left.items() for part in pair])

    def _refusal(self, needed: int, free: int, reserved: int) -> ApiError:
        detail = (
            f"this may need {_megabytes(needed)} of the disk; {_megabytes(free)} are free, of which "
            f"{_megabytes(reserved)} are reserved for open jobs and {_megabytes(self._min_free_bytes)} must stay free"
        )
        status = HTTPStatus.INSUFFICIENT_STORAGE
        return ApiError(status, "disk_low", detail, retry_after_seconds=_RETRY_AFTER_SECONDS)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
