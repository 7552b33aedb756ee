from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.first_seen import CERTAIN_SECONDS
from app.jobs.key_expiry import shorten_expiries
from app.jobs.leadership import Leadership
from app.jobs.reconciler import Reconciler
from app.jobs.worker_absence import MAX_MODEL_ABSENCE_SECONDS
from tests.unit.app.clock import Clock
from tests.unit.conftest import MakeSpec
from worker.contracts.catalog import Numerics, WorkerEntry
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.counters import Count
from worker.contracts.queue.redis_keys import (
    LEASE_TTL_SECONDS,
    paused_key,
    progress_key,
    queue_names,
    set_aside_key,
    worker_key,
)
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.store import Store

LATER = timedelta(seconds=10)
LONG = f"rq:queue:{queue_names('cpu-float32')[1]}"
JOB_SHARDS = 3
DAY = 24 * 3600
NUMERICS = Numerics(name="cpu-float32", batch_size=32)
WORKER = WorkerEntry(name="w", device="cpu", numerics=NUMERICS, models=("faces",), images_per_s=None)


class Bench:
    """A reconciler and everything that it reads."""

    def __init__(self, redis: Redis, folder: Path, spec: JobSpec) -> None:
        self.redis = redis
        self.folder = folder
        self.store = Store(str(folder))
        self.queue = TaskQueue(redis)
        self.cluster = ClusterState(redis)
        self.spec = spec
        self.clock = Clock()
        self.free: int | None = 1 << 40
        disk = DiskSpace(redis, self.store, lambda: self.free, 0, self.clock)
        self.reconciler = Reconciler(redis, self.store, self.queue, self.cluster, disk, 1, self.clock)

    def task(self, shard: int) -> Task:
        return Task.render_shard(self.spec.id, shard)

    def fetch(self, shard: int) -> Task:
        """Read a queued task as a worker does."""
        job = Job.fetch(self.task(shard).queue_id, self.redis, JSONSerializer)
        return Task.model_validate({"name": job.func_name, **job.kwargs})

    def reconcile(self, now: datetime | None = None) -> set[str]:
        """Reconcile twice, long enough apart. Returns the queued ids."""
        for seconds in (0, 1):
            self.clock.seconds += seconds
            self.reconciler.reconcile(now or self.spec.created + LATER)
        return self.queued()

    def begin(self, shard: int) -> None:
        """Take a shard's lease, and report that its rendering has begun."""
        self.redis.set(self.task(shard).lease_key, "worker", ex=LEASE_TTL_SECONDS)
        self.redis.hset(progress_key(self.spec.id), str(shard), 0)

    def queued(self) -> set[str]:
        return self.queue.queued(self.spec.model.numerics.name)


@pytest.fixture
def bench(redis: Redis, tmp_path: Path, make_spec: MakeSpec) -> Bench:
    made = Bench(redis, tmp_path, make_spec(n=10))
    made.store.jobs.create(made.spec)
    return made


def test_a_job_without_tasks_starts_with_its_first_shard(bench: Bench) -> None:
    assert bench.reconcile() == {bench.task(0).queue_id}
    assert bench.reconcile() == {bench.task(0).queue_id}
    assert bench.redis.llen(LONG) == 1


def test_tasks_that_are_queued_again_are_counted(bench: Bench) -> None:
    bench.redis.set(bench.task(2).lease_key, "worker")
    assert bench.reconcile() == {bench.task(0).queue_id, bench.task(1).queue_id}
    bench.reconcile()
    assert bench.cluster.counts() == {Count(name="tasks_requeued"): 2}


def test_a_shard_behind_the_foremost_is_queued_and_brings_no_other(bench: Bench) -> None:
    bench.store.shards.commit(bench.spec.id, 0, b"", ImageTable())
    bench.redis.set(bench.task(2).lease_key, "worker")
    assert bench.reconcile() == {bench.task(1).queue_id}
    assert bench.fetch(1).successor is None


@pytest.mark.parametrize("at_work", [True, False], ids=["at work", "done"])
def test_the_shard_after_the_foremost_is_queued_and_brings_the_next(bench: Bench, at_work: bool) -> None:
    if at_work:
        bench.begin(0)
    else:
        bench.store.shards.commit(bench.spec.id, 0, b"", ImageTable())
    assert bench.reconcile() == {bench.task(1).queue_id}
    assert bench.fetch(1).successor == Task.render_shard(bench.spec.id, 2, JOB_SHARDS)


def test_queued_leased_and_committed_shards_are_left_alone(bench: Bench) -> None:
    bench.queue.enqueue(bench.spec, [bench.task(2)])
    bench.redis.set(bench.task(1).lease_key, "worker")
    bench.store.shards.commit(bench.spec.id, 0, b"", ImageTable())
    assert bench.reconcile() == {bench.task(2).queue_id}
    assert bench.redis.llen(LONG) == 1


def test_a_job_whose_shards_are_all_there_is_closed_by_a_worker(bench: Bench) -> None:
    for shard in range(JOB_SHARDS):
        bench.store.shards.commit(bench.spec.id, shard, b"", ImageTable())
    assert bench.reconcile() == {Task.finalise(bench.spec.id).queue_id}


def test_lost_progress_is_restored(bench: Bench) -> None:
    bench.store.shards.commit(bench.spec.id, 0, b"", ImageTable())
    bench.store.shards.commit(bench.spec.id, 2, b"", ImageTable())
    bench.reconcile()
    assert bench.cluster.progress(bench.spec.id).images == {0: 4, 2: 2}


def test_an_ended_job_is_closed(bench: Bench) -> None:
    state = JobState(outcome="cancelled", started=None, finished=bench.spec.created)
    bench.store.jobs.finish(bench.spec.id, state)
    marker = bench.folder / "open" / bench.spec.id
    marker.write_bytes(b"")
    assert bench.reconcile() == set()
    assert marker.exists()  # its worker may still be forcing it to the disk
    bench.reconciler.reconcile(bench.spec.created + timedelta(minutes=1))
    assert not marker.exists()


def test_a_young_job_is_left_to_its_request(bench: Bench) -> None:
    assert bench.reconcile(bench.spec.created) == set()


def test_a_marker_without_a_job_is_removed_once_it_is_old(bench: Bench) -> None:
    bench.store.jobs.discard(bench.spec.id, datetime.now(UTC))
    marker = bench.folder / "open" / bench.spec.id
    marker.write_bytes(b"")
    for seconds, year in ((0, 1), (59, 3000), (1, 1)):  # whatever the time of day, or that of the store, may be
        assert marker.exists()
        bench.clock.seconds += seconds
        bench.reconciler.reconcile(datetime(year, 1, 1, tzinfo=UTC))
    assert not marker.exists()


def test_a_job_that_nobody_can_render_fails_after_a_day(bench: Bench) -> None:
    now = bench.spec.created + LATER

    def look(seconds: int) -> None:
        for wait in (0, CERTAIN_SECONDS):
            bench.clock.seconds += wait
            bench.reconciler.reconcile(now + timedelta(seconds=seconds))

    for seconds in (0, DAY):  # the first time, it is not known since when
        look(seconds)
        assert bench.store.jobs.state(bench.spec.id) is None
    bench.redis.set("imagemill:worker:w", WORKER.model_dump_json())
    look(DAY + 1)
    bench.redis.delete("imagemill:worker:w")
    look(2 * DAY + 1)
    assert bench.store.jobs.state(bench.spec.id) is None
    look(2 * DAY + 2)
    state = bench.store.jobs.state(bench.spec.id)
    assert state is not None
    assert state.error is not None
    assert (state.outcome, state.error.code) == ("failed", "no_worker")
    assert bench.cluster.counts()[Count(name="jobs_ended", labels=("failed",))] == 1
    assert list(bench.store.jobs.open_jobs()) == []


def test_a_job_whose_model_no_worker_has_fails_after_ten_minutes(bench: Bench) -> None:
    lacking = WORKER.model_copy(update={"models": ()})
    bench.redis.set(worker_key("w"), lacking.model_dump_json())
    for seconds in (0, MAX_MODEL_ABSENCE_SECONDS):
        bench.clock.seconds += seconds
        bench.reconcile()
        assert (bench.store.jobs.state(bench.spec.id) is None) == (seconds == 0)
    state = bench.store.jobs.state(bench.spec.id)
    assert state is not None
    assert state.error is not None
    assert (state.outcome, state.error.code) == ("failed", "model_unavailable")
    assert bench.spec.model.name in state.error.message


def test_a_clock_that_is_days_ahead_for_a_moment_fails_no_job(bench: Bench) -> None:
    now = bench.spec.created + LATER
    for minute in range(60):
        bench.clock.seconds = 60 * minute
        bench.reconciler.reconcile(now + timedelta(minutes=minute) + timedelta(days=9) * (minute % 14 != 0))
    assert bench.store.jobs.state(bench.spec.id) is None


def test_after_a_clock_was_ahead_a_job_waits_for_its_worker_no_longer_than_a_day(bench: Bench) -> None:
    now = bench.spec.created + LATER
    for seconds in (365 * DAY, 0, DAY + 1):  # of the first one, Redis keeps that a worker was missing since
        for wait in (0, CERTAIN_SECONDS):
            bench.clock.seconds += wait
            bench.reconciler.reconcile(now + timedelta(seconds=seconds))
    assert bench.store.jobs.state(bench.spec.id) is not None


@pytest.mark.parametrize("days", [-9000, -1, 1, 9000])
def test_a_job_goes_on_whatever_the_clock_was_when_it_was_accepted(bench: Bench, days: int) -> None:
    bench.store.shards.commit(bench.spec.id, 0, b"", ImageTable())
    assert bench.reconcile(bench.spec.created + timedelta(days=days)) == {bench.task(1).queue_id}
    assert bench.cluster.progress(bench.spec.id).images == {0: 4}


def test_a_job_that_ended_by_a_clock_ahead_is_settled_soon(bench: Bench) -> None:
    finished = bench.spec.created + timedelta(days=365)
    bench.store.jobs.finish(bench.spec.id, JobState(outcome="failed", started=None, finished=finished))
    bench.reconcile()
    assert list(bench.store.jobs.open_jobs()) == []


def test_a_lease_that_outlives_its_time_is_shortened(bench: Bench) -> None:
    """The clock of the queue server was set back by a day after a worker took a lease and died."""
    keys = [
        bench.task(0).lease_key,
        "imagemill:learning:l",
        worker_key("w"),
        paused_key("w"),
        set_aside_key("w"),
        "imagemill:turn:alice",
    ]
    for key in (*keys, "imagemill:cancel:j"):
        bench.redis.set(key, "x", ex=DAY)
    bench.redis.set("imagemill:lease:fresh", "x", ex=3)
    shorten_expiries(bench.redis)
    assert [bench.redis.ttl(key) for key in keys] == [15, 15, 30, 30, 3600, 30]
    assert bench.redis.ttl("imagemill:cancel:j") == DAY
    assert bench.redis.ttl("imagemill:lease:fresh") == 3


def test_a_dead_leader_does_not_lead_for_as_long_as_the_clock_was_ahead(bench: Bench) -> None:
    bench.redis.set("imagemill:reconciler", "dead", ex=DAY)
    leadership = Leadership(bench.redis, 1)
    assert not leadership.acquire_or_renew()
    assert bench.redis.ttl("imagemill:reconciler") <= 3
    bench.redis.delete("imagemill:reconciler")
    assert leadership.acquire_or_renew()
    assert not Leadership(bench.redis, 1).acquire_or_renew()


def test_a_task_that_is_missing_for_a_moment_is_not_lost(bench: Bench) -> None:
    bench.reconciler.reconcile(bench.spec.created + LATER)
    bench.clock.seconds += 0.9
    bench.reconciler.reconcile(bench.spec.created + LATER)
    bench.begin(0)
    bench.redis.hdel(progress_key(bench.spec.id), "0")  # it has a lease, but has not begun
    assert bench.reconcile() == set()
    bench.begin(0)
    bench.queue.enqueue(bench.spec, [bench.task(1)])
    assert bench.reconcile() == {bench.task(1).queue_id}
    assert Count(name="tasks_requeued") not in bench.cluster.counts()


def test_a_job_that_is_being_closed_is_left_to_the_worker_at_it(bench: Bench) -> None:
    for shard in range(JOB_SHARDS):
        bench.store.shards.commit(bench.spec.id, shard, b"", ImageTable())
    bench.begin(1)  # the worker that committed last
    assert bench.reconcile() == set()
    bench.redis.delete(bench.task(1).lease_key)
    assert bench.reconcile() == {Task.finalise(bench.spec.id).queue_id}


def test_a_task_that_is_lost_time_and_again_is_queued_once_a_second(bench: Bench) -> None:
    for _ in range(40):
        bench.clock.seconds += 0.125
        bench.reconciler.reconcile(bench.spec.created + LATER)
        bench.redis.delete(LONG)
    assert bench.cluster.counts()[Count(name="tasks_requeued")] == 4


def test_lost_tasks_wait_for_free_disk_space(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.free = 10_000
    for _ in range(61):
        bench.clock.seconds += 1
        bench.reconciler.reconcile(bench.spec.created + LATER)
    assert bench.queued() == set()
    said = [record.getMessage() for record in caplog.records if "wait for free disk space" in record.getMessage()]
    assert len(said) == 1
    bench.free = 1_000_000
    assert bench.reconcile() == {bench.task(0).queue_id}


def test_what_got_on_while_others_were_looked_at_is_not_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    queued = bench.queue.queued

    def queued_late(numerics: str) -> set[str]:
        found = queued(numerics)
        bench.queue.enqueue(bench.spec, [bench.task(0)])  # by the worker at the shard before, say
        return found

    monkeypatch.setattr(bench.queue, "queued", queued_late)
    bench.reconcile()
    assert Count(name="tasks_requeued") not in bench.cluster.counts()


def test_a_damaged_job_does_not_keep_the_others_waiting(bench: Bench) -> None:
    for damaged in ("-" * 22, "z" * 22):  # one before the job in any order, one after it
        (bench.folder / "open" / damaged).write_bytes(b"")
        (bench.folder / "jobs" / damaged).mkdir()
        (bench.folder / "jobs" / damaged / "spec.json").write_bytes(b"")
    assert bench.reconcile() == {bench.task(0).queue_id}


def test_a_store_error_about_one_job_does_not_block_the_others_and_is_repaired_later(
    bench: Bench,
) -> None:
    for troubled in ("-" * 22, "z" * 22):  # one before the job in any order, one after it
        spec = bench.spec.model_copy(update={"id": troubled})
        bench.store.jobs.create(spec)
        path = bench.folder / "jobs" / troubled / "spec.json"
        path.unlink()
        path.mkdir()
    assert bench.reconcile() == {bench.task(0).queue_id}
    path.rmdir()
    assert bench.reconcile() == {bench.task(0).queue_id, f"{troubled}-0"}
    assert bench.store.jobs.spec(troubled) == spec


def test_a_foreign_file_among_the_shards_is_no_shard(bench: Bench) -> None:
    bench.store.shards.commit(bench.spec.id, 0, b"", ImageTable())
    (bench.folder / "jobs" / bench.spec.id / "shards" / "junk.json").write_bytes(b"")
    assert bench.store.shards.committed(bench.spec.id) == {0}


def test_bytes_that_are_no_text_do_not_disturb(bench: Bench) -> None:
    bench.redis.rpush(LONG, b"\xfd")
    assert bench.task(0).queue_id in bench.reconcile()
