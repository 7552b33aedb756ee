import pytest
from redis import Redis

from app.cluster.cluster_state import ClusterState
from tests.unit.conftest import MakeSpec
from worker.contracts.catalog import ModelFacts, SetAside
from worker.contracts.queue.redis_keys import progress_key
from worker.contracts.queue.tasks import Task
from worker.queue.heartbeat import Heartbeat

TASK = Task.render_shard("x" * 22, 0)


def heartbeat_of(redis: Redis, make_spec: MakeSpec) -> Heartbeat:
    return Heartbeat(redis, "worker", "cpu", make_spec().model.numerics, [])


def test_a_lease_has_one_holder(redis: Redis, make_spec: MakeSpec) -> None:
    heartbeat = heartbeat_of(redis, make_spec)
    assert heartbeat.acquire_lease(TASK.lease_key)
    assert not heartbeat.acquire_lease(TASK.lease_key)
    heartbeat.end_attempt(TASK)
    assert heartbeat.acquire_lease(TASK.lease_key)


def test_a_worker_that_waits_for_the_store_has_not_crashed(redis: Redis, make_spec: MakeSpec) -> None:
    heartbeat = heartbeat_of(redis, make_spec)
    begun = list[int | None]()
    for _ in range(2):
        begun.append(heartbeat.begin_attempt(TASK))
        redis.delete(TASK.lease_key)  # the worker dies
    assert begun == [0, 1]
    heartbeat.mark_rendered(TASK)
    redis.delete(TASK.lease_key)
    assert heartbeat.begin_attempt(TASK) == 0


def test_an_attempt_that_another_worker_prevents_or_that_is_left_to_others_does_not_count(
    redis: Redis, make_spec: MakeSpec
) -> None:
    heartbeat = heartbeat_of(redis, make_spec)
    assert heartbeat.begin_attempt(TASK) == 0
    assert heartbeat_of(redis, make_spec).begin_attempt(TASK) is None
    redis.delete(TASK.lease_key)  # the first worker dies
    assert heartbeat.begin_attempt(TASK) == 1
    heartbeat.withdraw_attempt(TASK)
    assert heartbeat.begin_attempt(TASK) == 1


def test_what_is_set_aside_is_announced_beside_an_entry_that_older_versions_read(
    redis: Redis, make_spec: MakeSpec
) -> None:
    live, numerics = ClusterState(redis), make_spec().model.numerics
    Heartbeat(redis, "old", "cpu", numerics, []).announce()
    assert not live.set_aside()
    for name in ("a", "b"):
        file = SetAside(file="x.safetensors", reason="Permission denied")
        Heartbeat(redis, name, "cpu", numerics, [], set_aside=[file]).announce()
    assert live.set_aside() == {file: 2}
    assert {worker.name for worker in live.workers()} == {"old", "a", "b"}
    assert "set_aside" not in str(redis.get("imagemill:worker:a"))
    assert 0 < redis.ttl("imagemill:set-aside:a") <= 3600


def test_a_worker_is_announced_as_paused_or_working_and_never_as_both(redis: Redis, make_spec: MakeSpec) -> None:
    live, heartbeat = ClusterState(redis), heartbeat_of(redis, make_spec)
    for trouble in (None, "no room", None):
        heartbeat.pause_reason = trouble
        heartbeat.announce()
        assert (len(live.workers()), len(live.paused())) == ((1, 0) if trouble is None else (0, 1))


def test_a_lease_is_taken_though_the_first_answer_was_lost(
    redis: Redis, make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = redis.set

    def ask_twice(*arguments: object, **options: object) -> object:
        ask(*arguments, **options)  # type: ignore[arg-type]
        return ask(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(redis, "set", ask_twice)
    assert heartbeat_of(redis, make_spec).acquire_lease(TASK.lease_key)


def test_the_progress_of_a_job_is_forgotten_soon_after_its_end(redis: Redis, make_spec: MakeSpec) -> None:
    heartbeat = heartbeat_of(redis, make_spec)
    heartbeat.report_progress(TASK, 3)
    assert redis.ttl(progress_key(TASK.job_id)) > 3600
    heartbeat.publish_job_ended(TASK.job_id)
    assert 0 < redis.ttl(progress_key(TASK.job_id)) <= 60


def test_facts_are_announced_beside_entries_that_older_versions_read(redis: Redis, make_spec: MakeSpec) -> None:
    live, entry = ClusterState(redis), make_spec().model
    known = ModelFacts(model_sha256=entry.sha256, gate="9" * 64, judge="efflite0")
    unknown = ModelFacts(model_sha256=entry.sha256)
    workers = [
        Heartbeat(redis, name, "cpu", entry.numerics, [entry], facts=[facts])
        for name, facts in (("old", unknown), ("new", known), ("third", unknown))
    ]
    for worker in workers:
        worker.announce()
    assert live.facts(entry.sha256) == known  # a worker without the gate does not replace them
    assert live.models() == {entry.name: entry}
    assert {worker.name: worker.gates for worker in live.workers()} == {
        "old": (),
        "new": ("9" * 64,),
        "third": (),
    }
    assert workers[1].offers - workers[0].offers == {f"{entry.sha256}+{'9' * 64}"}
