"""The removal of a job's images on request, interrupted at every step."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.jobs.damage_repair import is_whole, repair_after_crash
from app.jobs.lost_images import is_lost
from app.jobs.retention import Retention
from tests.unit.app.clock import Clock
from tests.unit.app.jobs.test_retention import run_if_due
from tests.unit.conftest import MakeSpec
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.store import Store

ENDED = datetime(2030, 1, 1, tzinfo=UTC)
NOW = ENDED + timedelta(hours=1)
STATE = JobState(outcome="succeeded", started=ENDED, finished=ENDED)
DATA = b"..abc"
TABLE = ImageTable(offsets=(2,), sizes=(3,), crc32s=(891568578,), sha256s=("0" * 64,))
STEPS = ("put", "sync", "delete_all", "delete_unfinished")


class InterruptedRemovalError(Exception):
    pass


@pytest.fixture
def spec(make_spec: MakeSpec) -> JobSpec:
    return make_spec(n=3, shard_images=1)


def ended_job(folder: Path, spec: JobSpec, *, is_settled: bool) -> Store:
    store = Store(str(folder))
    store.jobs.create(spec)
    for shard in range(spec.shard_count):
        store.shards.commit(spec.id, shard, DATA, TABLE)
    parts = [part for shard in store.choices.chosen_shards(spec) for part in shard.parts()]
    store.archives.publish(spec.id, parts, b"the tail")
    store.jobs.finish(spec.id, STATE)
    if is_settled:
        store.jobs.settle(spec, STATE)
    return store


def images(folder: Path, spec: JobSpec) -> set[str]:
    return {path.name for path in (folder / "jobs" / spec.id).rglob("*") if path.is_file()} - {
        "spec.json",
        "state.json",
    }


def interrupt(store: Store, step: int) -> None:
    """Make the store fail at its next change of this number, and at all later ones."""
    made = 0

    def failing(change: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any) -> Any:
            nonlocal made
            made += 1
            if made > step:
                raise InterruptedRemovalError
            return change(*arguments)

        return attempt

    for name in STEPS:
        setattr(store._objects, name, failing(getattr(store._objects, name)))


@pytest.mark.parametrize("is_settled", [True, False])
@pytest.mark.parametrize("step", range(7))
def test_images_are_all_there_or_gone_wherever_the_removal_stops(
    tmp_path: Path, spec: JobSpec, step: int, is_settled: bool
) -> None:
    store = ended_job(tmp_path, spec, is_settled=is_settled)
    interrupt(store, step)
    with pytest.raises(InterruptedRemovalError):
        store.jobs.remove_images(spec, STATE, NOW)
    store = Store(str(tmp_path))
    repair_after_crash(store, spec.id)
    state = store.jobs.state(spec.id)
    assert state is not None
    if not is_settled:
        store.jobs.settle(spec, state)
    clock = Clock()
    run_if_due(Retention(store, 0, clock), clock, NOW)
    assert (images(tmp_path, spec) == set()) == state.is_removed == is_lost(store, spec)
    assert state.is_removed or is_whole(store, spec)
    store.jobs.remove_images(spec, state, NOW)
    assert images(tmp_path, spec) == set()


def test_a_removal_has_no_more_steps_than_the_test_above(tmp_path: Path, spec: JobSpec) -> None:
    store = ended_job(tmp_path, spec, is_settled=True)
    interrupt(store, 7)
    store.jobs.remove_images(spec, STATE, NOW)
    assert images(tmp_path, spec) == set()


def test_a_removed_job_has_expired_and_keeps_its_outcome(tmp_path: Path, spec: JobSpec) -> None:
    store = ended_job(tmp_path, spec, is_settled=True)
    store.jobs.remove_images(spec, STATE, NOW)
    state = store.jobs.state(spec.id)
    assert state == STATE.model_copy(update={"removed": NOW})
    assert state.expires(spec) == NOW
    assert state.has_expired(spec, NOW - timedelta(days=1))  # a process with a clock that is behind


def test_an_expired_job_keeps_the_time_of_its_expiry(tmp_path: Path, spec: JobSpec) -> None:
    store = ended_job(tmp_path, spec, is_settled=True)
    store.jobs.remove_images(spec, STATE, ENDED + timedelta(days=99))
    state = store.jobs.state(spec.id)
    assert state is not None
    assert state.expires(spec) == STATE.expires(spec)


@pytest.mark.parametrize("change", [{"outcome": "cancelled"}, {"removed": NOW}])
def test_a_job_is_not_repaired_while_its_images_are_removed(
    tmp_path: Path, spec: JobSpec, change: dict[str, object]
) -> None:
    store = Store(str(tmp_path))
    store.jobs.create(spec)
    store.shards.commit(spec.id, 0, DATA, TABLE)
    state = STATE.model_copy(update=change)
    store.jobs.finish(spec.id, state)
    (data,) = (tmp_path / "jobs" / spec.id).rglob("*.bin")
    data.unlink()
    repair_after_crash(store, spec.id)
    assert store.jobs.state(spec.id) == state
