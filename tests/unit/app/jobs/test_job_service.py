import json
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.auth.api_keys import Caller
from app.auth.quota import Quota
from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.model_catalog import ModelCatalog
from app.cluster.model_files import ModelFiles
from app.jobs.job_factory import JobFactory
from app.jobs.job_service import JobService
from app.schemas.requests import GenerateQuery
from app.settings import Settings
from app.styles.decode_queue import DecodeQueue
from app.styles.style_service import StyleService
from tests.unit.conftest import MakeSpec
from worker.contracts.catalog import ModelFacts, WorkerEntry
from worker.contracts.formats import ARCHIVE_VERSION
from worker.contracts.queue.redis_keys import MODEL_FACTS_KEY, MODELS_KEY, queue_names, worker_key
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.store import Store

ANYONE = Caller()
QUERY = GenerateQuery(n=3, seed=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def jobs(redis: Redis, store: Store, make_spec: MakeSpec) -> JobService:
    model = make_spec().model
    worker = WorkerEntry(
        name="w", device="cpu", numerics=model.numerics, models=(model.name, model.sha256), images_per_s=None
    )
    redis.hset(MODELS_KEY, model.name, model.model_dump_json())
    redis.set(worker_key("w"), worker.model_dump_json())
    cluster, disk = ClusterState(redis), DiskSpace(redis, store, lambda: None, 0)
    catalog = ModelCatalog(cluster, model.name, ModelFiles(store, is_private=False))
    factory, quota = (
        JobFactory(catalog, StyleService(store, disk, DecodeQueue()), None, "xmp-1"),
        Quota(redis, store, cluster),
    )
    return JobService(Settings(), store, TaskQueue(redis), cluster, catalog, factory, quota, disk)


@pytest.fixture
def forced(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the jobs that were forced to the disk."""
    ids = list[str]()
    monkeypatch.setattr(store.jobs, "force_to_disk", ids.append)
    return ids


@pytest.mark.parametrize(
    ("versions", "query", "expected"),
    [
        ([ARCHIVE_VERSION, ARCHIVE_VERSION], QUERY, ARCHIVE_VERSION),
        ([ARCHIVE_VERSION, 3], QUERY, 3),
        (
            [ARCHIVE_VERSION, None],
            QUERY,
            2,
        ),  # an older worker sends none
        (
            [ARCHIVE_VERSION, None],
            GenerateQuery(n=3, seed=1, distinct=0),
            3,
        ),  # only newer ones can
        ([ARCHIVE_VERSION, 3], GenerateQuery(n=3, seed=1, distinct=0), 3),
    ],
)
def test_all_workers_can_read_a_plain_job(
    jobs: JobService, redis: Redis, make_spec: MakeSpec, versions: list[int | None], query: GenerateQuery, expected: int
) -> None:
    model = make_spec().model
    redis.hset(MODEL_FACTS_KEY, model.sha256, ModelFacts(model_sha256=model.sha256).model_dump_json())
    for name, version in enumerate(versions):
        worker = WorkerEntry(name="w", device="cpu", numerics=model.numerics, models=(model.name,), images_per_s=None)
        announced = worker.model_dump(exclude={"archive_version"}) | ({} if version is None else {"layout": version})
        redis.set(worker_key("w" * (name + 1)), json.dumps(announced))
    spec = jobs.submit(query, ANYONE)[0].spec
    assert (spec.archive_version, spec.facts is not None) == (expected, expected > 2)
    assert spec.marking == ("xmp-1" if expected > 3 else "none")


def test_arrays_have_no_marks(jobs: JobService, redis: Redis, make_spec: MakeSpec) -> None:
    model = make_spec().model
    worker = WorkerEntry(
        name="w",
        device="cpu",
        numerics=model.numerics,
        models=(model.name,),
        images_per_s=None,
        archive_version=ARCHIVE_VERSION,
    )
    redis.set(worker_key("w"), worker.model_dump_json())
    assert jobs.submit(QUERY, ANYONE)[0].spec.marking == "xmp-1"
    arrays = GenerateQuery(n=3, seed=1, format="npz")
    assert jobs.submit(arrays, ANYONE)[0].spec.marking == "none"


def test_a_request_without_a_key_is_forced_to_the_disk(jobs: JobService, forced: list[str]) -> None:
    assert forced == [jobs.submit(QUERY, ANYONE)[1].id]


@pytest.mark.parametrize("caller", [ANYONE, Caller(owner="a", max_jobs=5)])
def test_a_repeated_request_with_a_key_forces_the_job_that_it_finds(
    jobs: JobService, forced: list[str], caller: Caller
) -> None:
    job_id = jobs.submit(QUERY, caller, "key")[1].id
    assert forced == [job_id]  # the earlier request may have died before this
    assert jobs.submit(QUERY, caller, "key")[1].id == job_id
    assert forced == [job_id] * 2


def test_a_repeated_retry_forces_the_job_that_it_finds(jobs: JobService, forced: list[str]) -> None:
    accepted, _ = jobs.submit(QUERY, ANYONE)
    jobs.cancel(accepted.spec)
    forced.clear()
    again = jobs.retry(accepted.spec, ANYONE)
    assert jobs.retry(accepted.spec, ANYONE).id == again.id
    assert forced == [again.id] * 2


@pytest.fixture
def broken_queue(redis: Redis, make_spec: MakeSpec) -> None:
    """Let Redis refuse tasks: a text is where it keeps the queues."""
    for name in queue_names(make_spec().model.numerics.name):
        redis.set(f"rq:queue:{name}", "text")


@pytest.mark.usefixtures("broken_queue")
def test_a_job_that_cannot_be_queued_is_discarded(jobs: JobService, store: Store) -> None:
    with pytest.raises(RedisError):
        jobs.submit(QUERY, ANYONE)
    assert list(store.jobs.open_jobs()) == []


@pytest.mark.usefixtures("broken_queue")
def test_a_job_with_a_key_that_cannot_be_queued_stays_for_the_next_request(jobs: JobService, store: Store) -> None:
    with pytest.raises(RedisError):
        jobs.submit(QUERY, ANYONE, "key")
    (job_id,) = (job_id for job_id, _ in store.jobs.open_jobs())
    assert jobs.submit(QUERY, ANYONE, "key")[1].id == job_id


def test_the_checksum_of_a_request_stays_when_parameters_are_added() -> None:
    known = (
        '{"class_label":null,"style":null,"style_mode":null,"style_strength":null,"style_steps":null,"n":3,'
        '"model":null,"seed":1,"start":0,"format":"png","ttl_hours":null}'
    )
    assert QUERY.model_dump_json() == known
    assert GenerateQuery(n=3, seed=1, keep=0.5).model_dump_json() != known
