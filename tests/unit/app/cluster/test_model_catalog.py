"""The gates that requests and repeated jobs find, from announcements in a real queue server."""

import json
from pathlib import Path

import pytest
from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.cluster.model_catalog import ModelCatalog, chosen_gate
from app.cluster.model_files import ModelFiles
from app.errors import ApiError
from tests.unit.conftest import MakeSpec
from worker.contracts.catalog import GateEffect, ModelFacts, Numerics, WorkerEntry
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Ancestor
from worker.contracts.queue.redis_keys import MODEL_FACTS_KEY, MODELS_KEY, paused_key, worker_key
from worker.contracts.selection import Selection
from worker.contracts.store.store import Store

GATE, OTHER = "a" * 64, "b" * 64
EFFECT = GateEffect.model_validate(
    {"keep": 0.5, "yield": 0.8, "precision": 0.5, "density": 0.4, "coverage": 0.3, "recall": 0.2, "fd": 40.0}
)


@pytest.fixture
def spec(make_spec: MakeSpec) -> JobSpec:
    return make_spec(classes=("a", "b")).model_copy(update={"selection": Selection(gate=GATE, keep=500)})


@pytest.fixture
def catalog(redis: Redis, spec: JobSpec, tmp_path: Path) -> ModelCatalog:
    redis.hset(MODELS_KEY, spec.model.name, spec.model.model_dump_json())
    return ModelCatalog(ClusterState(redis), spec.model.name, ModelFiles(Store(str(tmp_path)), is_private=False))


def announce(redis: Redis, spec: JobSpec, *gates: str) -> WorkerEntry:
    entry = WorkerEntry(
        name="w",
        device="cpu",
        numerics=spec.model.numerics,
        models=(spec.model.name,),
        sha256s=(spec.model.sha256,),
        images_per_s=None,
        gates=gates,
    )
    redis.set(worker_key("w"), entry.model_dump_json())
    return entry


def test_facts_are_those_that_a_worker_announced(redis: Redis, catalog: ModelCatalog, spec: JobSpec) -> None:
    assert catalog.facts(spec.model) is None
    facts = ModelFacts(model_sha256=spec.model.sha256, gate=GATE, class_counts=(5, 7), effects=(EFFECT,), judge="net")
    redis.hset(MODEL_FACTS_KEY, spec.model.sha256, facts.model_dump_json(by_alias=True))
    redis.hset(MODEL_FACTS_KEY, OTHER, "of a newer version")
    assert catalog.facts(spec.model) == facts
    (model,) = catalog.list_models()
    assert (model.gate, model.training_images, model.class_yields) == (GATE, {"a": 5, "b": 7}, None)
    assert (model.effects, model.judge) == ((EFFECT,), "net")


def test_facts_of_a_newer_worker_are_read(redis: Redis, catalog: ModelCatalog, spec: JobSpec) -> None:
    facts = ModelFacts(model_sha256=spec.model.sha256, gate=GATE, effects=(EFFECT,))
    newer = facts.model_dump(by_alias=True) | {"effects": [EFFECT.model_dump(by_alias=True) | {"kid": 3}], "age": 1}
    redis.hset(MODEL_FACTS_KEY, spec.model.sha256, json.dumps(newer))
    assert catalog.facts(spec.model) == facts


def test_the_gate_is_the_one_that_workers_have(redis: Redis, spec: JobSpec) -> None:
    facts = ModelFacts(model_sha256=spec.model.sha256, gate=GATE)
    assert chosen_gate(spec.model, facts, [announce(redis, spec, OTHER, GATE)]) == GATE
    assert chosen_gate(spec.model, facts, []) == GATE  # all workers may be restarting
    with pytest.raises(ApiError, match="no live worker currently has the quality gate of faces") as away:
        chosen_gate(spec.model, facts, [announce(redis, spec, OTHER)])
    assert (away.value.status, away.value.code) == (503, "no_gate")
    assert away.value.retry_after_seconds


@pytest.mark.parametrize("facts", [None, ModelFacts(model_sha256="0" * 64)])
def test_a_model_without_a_gate_is_refused(spec: JobSpec, facts: ModelFacts | None) -> None:
    with pytest.raises(ApiError, match="faces has no quality gate; leave keep out") as refused:
        chosen_gate(spec.model, facts, [])
    assert (refused.value.status, refused.value.code, refused.value.retry_after_seconds) == (422, "no_gate", None)


def test_a_job_is_repeated_only_with_its_gate(redis: Redis, catalog: ModelCatalog, spec: JobSpec) -> None:
    announce(redis, spec, GATE)
    catalog.check_workers(spec)
    announce(redis, spec, OTHER)
    with pytest.raises(ApiError, match=r"no live worker has the quality gate of this job \(aaaaaaaaaaaa\)") as away:
        catalog.check_workers(spec)
    assert (away.value.status, away.value.code) == (503, "no_gate")
    catalog.check_workers(spec.model_copy(update={"selection": Selection(distinct=1)}))


@pytest.mark.parametrize(
    "change",
    [
        {"archive_version": 4},
        {"archive_version": 3, "name": "eyes"},
        {"archive_version": 3, "split": "test"},
        {"archive_version": 3, "ancestors": (Ancestor(job="y" * 22, n=1, stop=1),)},
    ],
)
def test_jobs_that_no_live_worker_can_read_are_refused(
    redis: Redis, catalog: ModelCatalog, spec: JobSpec, change: dict[str, object]
) -> None:
    """Workers of the release before would drop their tasks and pause, so that no job at all would be rendered."""
    older = announce(redis, spec, GATE).model_copy(update={"archive_version": 3})
    redis.set(worker_key("w"), older.model_dump_json())
    catalog.check_workers(spec.model_copy(update={"archive_version": 3}))
    new = spec.model_copy(update=change)
    with pytest.raises(ApiError, match="all live workers are of an older release") as refused:
        catalog.check_workers(new)
    assert (refused.value.status, refused.value.code) == (503, "no_worker")
    assert refused.value.retry_after_seconds
    newer = older.model_copy(update={"name": "n", "archive_version": 4})
    redis.set(worker_key("n"), newer.model_dump_json())
    catalog.check_workers(new)


def test_direct_requests_need_a_worker_that_announces_that_it_answers_them(
    redis: Redis, catalog: ModelCatalog, spec: JobSpec
) -> None:
    older = announce(redis, spec).model_dump(mode="json", by_alias=True)
    del older["answers_directly"]
    redis.set(worker_key("w"), json.dumps(older))
    assert not catalog.has_direct_worker(spec)
    newer = json.dumps(older | {"answers_directly": True})
    redis.set(worker_key("v"), newer)
    assert catalog.has_direct_worker(spec)
    other_model = spec.model.model_copy(update={"sha256": OTHER})
    other_numerics = spec.model.model_copy(update={"numerics": Numerics(name="cuda-bfloat16", batch_size=256)})
    for model in (other_model, other_numerics):
        assert not catalog.has_direct_worker(spec.model_copy(update={"model": model}))
    redis.delete(worker_key("v"))
    redis.set(paused_key("v"), json.dumps(json.loads(newer) | {"reason": "disk full"}))
    assert catalog.has_direct_worker(spec)
