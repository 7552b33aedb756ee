from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from app.cluster.disk_space import DiskSpace
from app.cluster.job_bytes import bytes_left
from app.errors import ApiError
from tests.unit.app.clock import Clock
from tests.unit.conftest import MakeSpec
from tests.unit.selections import commit_shard, selecting_spec
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.store import Store

N = 1000
JOB_BYTES = N * (3 * 64 * 64 + 1024) + 32768
KEPT = 5_000_000


class Disk:
    """A disk of a given size, and the DiskSpace of two API processes on it."""

    def __init__(self, redis: Redis, folder: Path, spec: JobSpec) -> None:
        self.redis = redis
        self.store = Store(str(folder))
        self.spec = spec
        self.free: int | None = KEPT + 2 * JOB_BYTES
        self.clock = Clock()
        self.spaces = [DiskSpace(redis, self.store, lambda: self.free, KEPT, self.clock) for _ in range(2)]

    def job(self, number: int, n: int = N) -> JobSpec:
        return self.spec.model_copy(update={"id": f"{number:022}", "n": n})

    def accept(self, number: int, n: int = N) -> JobSpec:
        """Accept a job, by one of the processes."""
        spec = self.job(number, n)
        with self.spaces[number % len(self.spaces)].reserve(spec):
            self.store.jobs.create(spec)
        return spec

    def end(self, spec: JobSpec) -> None:
        state = JobState(outcome="failed", started=None, finished=spec.created)
        self.store.jobs.finish(spec.id, state)
        self.store.jobs.settle(spec, state)

    def reconcile(self) -> None:
        self.spaces[0].reconcile([job_id for job_id, _ in self.store.jobs.open_jobs()])

    def reserved(self) -> int:
        fields = self.redis.hgetall("imagemill:room")
        total = int(fields.pop(b"total", 0))
        assert total == sum(map(int, fields.values()))
        return total


@pytest.fixture
def disk(redis: Redis, tmp_path: Path, make_spec: MakeSpec) -> Disk:
    return Disk(redis, tmp_path, make_spec(n=N, shard_images=100))


def is_refused(disk: Disk, number: int, n: int = N) -> bool:
    try:
        disk.accept(number, n)
    except ApiError as error:
        return (error.status, error.code) == (507, "disk_low")
    return False


def test_of_three_jobs_of_which_two_fit_the_third_is_refused_with_exact_figures(disk: Disk) -> None:
    assert [bytes_left(disk.accept(number)) for number in range(2)] == [JOB_BYTES] * 2
    with pytest.raises(ApiError) as refused:
        disk.accept(2)
    assert refused.value.detail == (
        "this may need 13.3 MB of the disk; 31.7 MB are free, of which 26.7 MB are reserved for open jobs and 5.0 MB "
        "must stay free"
    )
    assert refused.value.retry_after_seconds
    assert disk.reserved() == 2 * JOB_BYTES


def test_fifty_requests_at_once_by_two_processes_do_not_get_past_the_disk(disk: Disk) -> None:
    disk.free = KEPT + 7 * JOB_BYTES
    with ThreadPoolExecutor(50) as pool:
        refused = list(pool.map(lambda number: is_refused(disk, number), range(50)))
    assert refused.count(False) == 7
    assert disk.reserved() == 7 * JOB_BYTES


def test_what_a_job_has_stored_is_not_reserved_any_more(disk: Disk) -> None:
    first, _ = disk.accept(0), disk.accept(1)
    for shard in range(5):
        disk.store.shards.commit(first.id, shard, b"", ImageTable())
    disk.clock.seconds += 1
    assert is_refused(disk, 2)
    assert not is_refused(disk, 2, n=400)
    assert disk.reserved() < 2 * JOB_BYTES


def test_the_space_of_an_ended_job_is_released_when_the_next_one_comes(disk: Disk) -> None:
    first, _ = disk.accept(0), disk.accept(1)
    assert is_refused(disk, 2)
    disk.end(first)
    disk.clock.seconds += 1
    assert not is_refused(disk, 2)


def test_the_store_is_read_once_a_second_however_many_jobs_are_refused(disk: Disk) -> None:
    first, _ = disk.accept(0), disk.accept(1)
    space = disk.spaces[0]
    assert is_refused(disk, 2)
    disk.end(first)
    assert is_refused(disk, 4)
    space.release(first.id)  # as a cancelled job does by itself
    assert not is_refused(disk, 6)


def test_an_emptied_queue_server_forgets_no_reservation(disk: Disk) -> None:
    disk.accept(0)
    disk.accept(1)
    disk.redis.flushall()
    assert is_refused(disk, 2)
    assert disk.reserved() == 2 * JOB_BYTES
    disk.redis.flushall()
    disk.reconcile()
    assert disk.reserved() == 2 * JOB_BYTES


def test_a_job_that_is_not_accepted_releases_its_space(disk: Disk) -> None:
    with pytest.raises(OSError, match="the store"), disk.spaces[0].reserve(disk.job(0)):
        raise OSError("the store is away")
    assert disk.reserved() == 0


def test_a_second_request_for_the_same_job_neither_reserves_nor_releases_space(disk: Disk) -> None:
    disk.accept(0)
    disk.accept(1)
    with pytest.raises(OSError, match="the store"), disk.spaces[0].reserve(disk.job(0)):
        raise OSError("the store is away")
    assert disk.reserved() == 2 * JOB_BYTES


def test_what_nobody_gives_back_is_given_back_in_time(disk: Disk) -> None:
    disk.end(disk.accept(0))
    with disk.spaces[1].reserve(disk.job(1)):  # by a process that dies before it has written its job
        pass
    disk.reconcile()
    assert disk.reserved() == JOB_BYTES
    disk.clock.seconds += 60
    disk.reconcile()
    assert disk.reserved() == 0


def test_an_open_job_without_a_reservation_gets_one(disk: Disk) -> None:
    """A job with a name of its own stays when its request could not queue it."""
    disk.accept(0)
    disk.store.jobs.create(disk.job(1))
    with pytest.raises(OSError, match="the queue"), disk.spaces[0].reserve(disk.job(1)):
        raise OSError("the queue is away")
    assert disk.reserved() == JOB_BYTES
    disk.reconcile()
    assert disk.reserved() == 2 * JOB_BYTES


def test_an_upload_must_fit_besides_the_reserved_space(disk: Disk) -> None:
    disk.accept(0)
    disk.spaces[1].require_free(JOB_BYTES)
    with pytest.raises(ApiError) as refused:
        disk.spaces[1].require_free(JOB_BYTES + 1)
    assert refused.value.code == "disk_low"
    disk.end(disk.job(0))
    disk.clock.seconds += 1
    disk.spaces[1].require_free(JOB_BYTES + 1)


def test_in_a_bucket_nothing_is_reserved(disk: Disk) -> None:
    disk.free = None
    for number in range(9):
        disk.accept(number)
    disk.reconcile()
    disk.spaces[0].require_free(1 << 60)
    assert not disk.redis.exists("imagemill:room")


def test_a_job_with_a_selection_reserves_its_surplus_and_releases_what_it_has_kept(
    redis: Redis, tmp_path: Path
) -> None:
    disk = Disk(redis, tmp_path, selecting_spec(n=1000, shard_images=100))
    image_bytes = (JOB_BYTES - 32768) // N
    job = disk.accept(1)
    surplus = 1000 // 8 + 2 * 100
    assert disk.reserved() == (1000 + surplus) * image_bytes + 32768
    commit_shard(disk.store, job, 0, lambda index: index % 2 == 0)
    commit_shard(disk.store, job, 2, lambda index: index % 2 == 0)  # it does not count before the one before it
    disk.free = 0
    assert is_refused(disk, 2)  # reads the store
    assert disk.reserved() == (950 + surplus) * image_bytes + 32768


def test_a_check_refuses_like_a_reservation_and_writes_nothing(disk: Disk) -> None:
    disk.accept(0)
    disk.spaces[1].check_job(disk.job(2))
    disk.accept(1)
    before = disk.redis.hgetall("imagemill:room")
    with pytest.raises(ApiError) as checked:
        disk.spaces[1].check_job(disk.job(2))
    assert disk.redis.hgetall("imagemill:room") == before
    with pytest.raises(ApiError) as refused, disk.spaces[0].reserve(disk.job(2)):
        pass
    assert (checked.value.code, checked.value.detail) == (refused.value.code, refused.value.detail)


def test_a_check_asks_the_store_what_jobs_have_written_and_what_redis_has_lost(disk: Disk) -> None:
    ended, _ = disk.accept(0), disk.accept(1)
    disk.end(ended)
    disk.spaces[0].check_job(disk.job(2))  # the reservation of the job that has ended is still there
    disk.redis.flushall()
    disk.spaces[0].check_job(disk.job(2))
    with pytest.raises(ApiError):
        disk.spaces[0].check_job(disk.job(3, 2 * N))
    assert not disk.redis.exists("imagemill:room")
