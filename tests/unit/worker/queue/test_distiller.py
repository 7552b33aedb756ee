from collections.abc import Callable
from threading import Event
from typing import Any, cast

import pytest
from redis import Redis

from tests.unit.conftest import MakeSpec
from worker.contracts.queue.redis_keys import cancel_key, distillation_lease_key
from worker.contracts.queue.tasks import Task
from worker.contracts.styles import StyleSpec
from worker.queue import distiller as module
from worker.queue.distiller import Distiller
from worker.queue.heartbeat import Heartbeat
from worker.queue.outcome import Outcome
from worker.queue.watchdog import Watchdog
from worker.rendering.loaded_model import LoadedModel

TASK = Task.render_shard("x" * 22, 0)
STYLE = StyleSpec(id="0" * 64, mode="distilled", steps=3)


class Models:
    """Distilled models that take some steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done = 0
        self.before_step: Callable[[], object] = lambda: None

    def model(self, model: LoadedModel, _style: StyleSpec, _owner: str) -> LoadedModel | None:
        return model if self.done == self.steps else None

    def train(self, _model: LoadedModel, _style: StyleSpec, _owner: str, may_continue: Callable[[float], bool]) -> None:
        while self.done < self.steps and may_continue(self.done / self.steps):
            self.before_step()
            self.done += 1


class Bench:
    def __init__(self, redis: Redis, make_spec: MakeSpec) -> None:
        entry = make_spec().model
        self.redis = redis
        self.models = Models(3)
        self.stopping = Event()
        self.model = cast(LoadedModel, type("Model", (), {"entry": entry})())
        self.lease = distillation_lease_key(STYLE.distilled_model_key(entry, ""))
        heartbeat = Heartbeat(redis, "worker", "cpu", entry.numerics, [])
        self.distiller = Distiller(cast(Any, self.models), heartbeat, Watchdog(60), self.stopping)

    def run(self) -> LoadedModel | Outcome:
        return self.distiller.find_or_distil(TASK, self.model, STYLE, "")


@pytest.fixture
def bench(redis: Redis, make_spec: MakeSpec) -> Bench:
    return Bench(redis, make_spec)


def test_a_distillation_that_ends_in_its_time_slice_gives_the_model(bench: Bench) -> None:
    assert bench.run() is bench.model
    assert bench.models.done == 3
    assert not bench.redis.exists(bench.lease)


def test_a_model_that_is_there_is_found_without_a_lease(bench: Bench) -> None:
    bench.models.done = 3
    bench.redis.set(bench.lease, "another worker")
    assert bench.run() is bench.model


def test_every_time_slice_has_at_least_one_step(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLICE_SECONDS", 0)
    assert [bench.run() for _ in range(2)] == [Outcome.DEFERRED] * 2
    assert bench.models.done == 2
    assert not bench.redis.exists(bench.lease)


def test_a_model_that_another_worker_distils_defers_the_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OTHER_WORKER_SECONDS", 0)
    bench.redis.set(bench.lease, "another worker")
    assert bench.run() is Outcome.DEFERRED
    assert bench.models.done == 0
    assert bench.redis.get(bench.lease) == b"another worker"


def test_a_worker_that_stops_interrupts_the_distillation(bench: Bench) -> None:
    bench.models.before_step = bench.stopping.set
    assert bench.run() is Outcome.INTERRUPTED
    assert bench.models.done == 1


def test_the_cancellation_of_the_job_ends_the_distillation(bench: Bench) -> None:
    bench.models.before_step = lambda: bench.redis.set(cancel_key(TASK.job_id), 1)
    assert bench.run() is Outcome.DONE
    assert bench.models.done == 1


def test_an_error_releases_the_lease(bench: Bench) -> None:
    def fail() -> None:
        raise ValueError("diverged")

    bench.models.before_step = fail
    with pytest.raises(ValueError, match="diverged"):
        bench.run()
    assert not bench.redis.exists(bench.lease)
