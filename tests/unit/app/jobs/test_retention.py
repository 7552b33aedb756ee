import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.jobs.retention import Retention
from tests.unit.app.clock import Clock
from tests.unit.conftest import MakeSpec
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Ancestor
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.job_store import JobStore
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import AncestorRemovedError

ENDED = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
A_WHILE = 15 * 60
"""Seconds that images must be due for."""
STATE = JobState(outcome="succeeded", started=ENDED, finished=ENDED)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def spec(store: Store, make_spec: MakeSpec) -> JobSpec:
    """A job that has ended and is kept for two hours."""
    made = make_spec().model_copy(update={"ttl_hours": 2})
    store.jobs.create(made)
    store.shards.commit(made.id, 0, b"slice", ImageTable())
    store.jobs.finish(made.id, STATE)
    store.jobs.settle(made, STATE)
    return made


def run_if_due(retention: Retention, clock: Clock, now: datetime) -> None:
    """Look twice, and in between let the images be due for long enough."""
    for seconds in (0, A_WHILE):
        clock.seconds += seconds
        retention.run_if_due(now)


def names(folder: Path) -> set[str]:
    """Return the names of all files except the entries of lists, which stay."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in found if path.relative_to(folder).parts[0] != "listed"}


def test_images_go_when_their_time_has_come_and_the_request_stays(store: Store, spec: JobSpec, tmp_path: Path) -> None:
    clock = Clock()
    retention = Retention(store, 0, clock)
    before = names(tmp_path)
    run_if_due(retention, clock, ENDED + 2 * HOUR - timedelta(seconds=1))
    assert names(tmp_path) == before
    run_if_due(retention, clock, ENDED + 2 * HOUR)
    assert names(tmp_path) == {"spec.json", "state.json"}
    assert store.jobs.spec(spec.id) == spec
    assert store.shards.index(spec.id, 0) is None


def test_a_job_that_is_open_again_keeps_its_images(store: Store, spec: JobSpec, tmp_path: Path) -> None:
    store.jobs.forget_ending(spec.id)
    clock = Clock()
    run_if_due(Retention(store, 0, clock), clock, ENDED + 3 * HOUR)
    assert store.shards.index(spec.id, 0) is not None
    store.jobs.finish(spec.id, STATE)
    store.jobs.settle(spec, STATE)
    run_if_due(Retention(store, 0, clock), clock, ENDED + 3 * HOUR)
    assert names(tmp_path) == {"spec.json", "state.json"}


def test_what_was_made_of_a_discarded_job_goes(store: Store, make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec()
    store.jobs.create(spec)
    store.jobs.discard(spec.id, ENDED)
    store.shards.commit(spec.id, 0, b"slice", ImageTable())  # its task had come through
    clock = Clock()
    run_if_due(Retention(store, 0, clock), clock, ENDED + HOUR)
    assert names(tmp_path) == set()


def test_a_damaged_job_does_not_keep_the_others(store: Store, spec: JobSpec, tmp_path: Path) -> None:
    damaged = tmp_path / "jobs" / ("d" * 22)
    damaged.mkdir()
    (damaged / "spec.json").write_bytes(b"{")
    (tmp_path / "due" / f"1.{damaged.name}").touch()
    clock = Clock()
    run_if_due(Retention(store, 0, clock), clock, ENDED + 3 * HOUR)
    assert store.shards.index(spec.id, 0) is None
    assert (tmp_path / "due" / f"1.{damaged.name}").exists()


def test_what_was_never_finished_goes_after_an_hour(store: Store, tmp_path: Path) -> None:
    ages = {"learnt/lesson/state.safetensors#1": 2, "owned/future.json#2": -2, "styles/id/picture.png#7": 0.5}
    for path, age in ages.items():
        half = tmp_path / path
        half.parent.mkdir(exist_ok=True)
        half.write_bytes(b"half")
        written = (ENDED - age * HOUR).timestamp()
        os.utime(half, (written, written))
    store.distilled.keep_state("lesson", b"whole", 1000)
    Retention(store).run_if_due(ENDED)
    assert names(tmp_path) == {"state.safetensors", "picture.png#7"}


def test_it_looks_now_and_then_even_when_the_clock_is_set_back(store: Store, spec: JobSpec) -> None:
    clock = Clock()
    retention = Retention(store, 2 * A_WHILE, clock)
    retention.run_if_due(ENDED + 9 * HOUR)
    clock.seconds = A_WHILE
    retention.run_if_due(ENDED + 9 * HOUR)
    assert store.shards.index(spec.id, 0) is not None
    clock.seconds = 2 * A_WHILE
    retention.run_if_due(ENDED + 3 * HOUR)
    assert store.shards.index(spec.id, 0) is None


@pytest.mark.usefixtures("spec")
def test_a_clock_that_is_years_ahead_for_a_moment_removes_nothing(store: Store, tmp_path: Path) -> None:
    clock, before = Clock(), names(tmp_path)
    retention = Retention(store, 0, clock)
    for minute in range(60):
        clock.seconds = 60 * minute
        is_right = minute % 14 == 0
        retention.run_if_due(ENDED + timedelta(minutes=minute) + (timedelta(0) if is_right else timedelta(days=3650)))
    assert names(tmp_path) == before


def test_a_note_that_another_clock_wrote_waits_until_its_job_has_expired(
    store: Store, spec: JobSpec, tmp_path: Path
) -> None:
    (tmp_path / "due" / f"1.{spec.id}").touch()
    clock = Clock()
    retention = Retention(store, 0, clock)
    run_if_due(retention, clock, ENDED + HOUR)
    assert store.shards.index(spec.id, 0) is not None
    assert (tmp_path / "due" / f"1.{spec.id}").exists()
    run_if_due(retention, clock, ENDED + 2 * HOUR)
    assert names(tmp_path) == {"spec.json", "state.json"}


@pytest.mark.parametrize(("outcome", "hours"), [("cancelled", 0), ("failed", 1)])
def test_images_of_a_job_without_an_archive_go_sooner(
    store: Store, make_spec: MakeSpec, tmp_path: Path, outcome: str, hours: int
) -> None:
    spec, state = make_spec(), JobState.model_validate({**STATE.model_dump(), "outcome": outcome})
    store.jobs.create(spec)
    store.shards.commit(spec.id, 0, b"slice", ImageTable())
    store.jobs.finish(spec.id, state)
    store.jobs.settle(spec, state)
    assert (store.shards.index(spec.id, 0) is None) == (outcome == "cancelled")
    store.shards.commit(spec.id, 1, b"slice", ImageTable())  # by a worker that had not heard of it
    clock = Clock()
    retention = Retention(store, 0, clock)
    if hours:
        run_if_due(retention, clock, ENDED + hours * HOUR - timedelta(seconds=1))
        assert store.shards.committed(spec.id) == {0, 1}
    run_if_due(retention, clock, ENDED + HOUR)
    assert names(tmp_path) == {"spec.json", "state.json"}


def test_images_stay_while_an_extension_needs_them(store: Store, spec: JobSpec) -> None:
    ancestor = Ancestor(job=spec.id, n=spec.n, stop=spec.n)
    longer = spec.model_copy(update={"id": "y" * 22, "n": 2 * spec.n, "ancestors": (ancestor,), "ttl_hours": 9})
    store.jobs.create(longer)
    clock = Clock()
    retention = Retention(store, 0, clock)
    run_if_due(retention, clock, ENDED + 3 * HOUR)
    assert store.shards.index(spec.id, 0) is not None
    store.jobs.finish(longer.id, STATE)
    run_if_due(retention, clock, ENDED + 8 * HOUR)
    assert store.shards.index(spec.id, 0) is not None
    run_if_due(retention, clock, ENDED + 9 * HOUR)
    assert store.shards.index(spec.id, 0) is None


def test_images_that_are_removed_stay_if_an_extension_has_just_begun(store: Store, spec: JobSpec) -> None:
    ancestor = Ancestor(job=spec.id, n=spec.n, stop=spec.n)
    store.jobs.create(spec.model_copy(update={"id": "y" * 22, "n": 2 * spec.n, "ancestors": (ancestor,)}))
    assert not store.jobs.remove_images(spec, STATE, ENDED)
    assert store.jobs.state(spec.id) == STATE
    assert store.shards.index(spec.id, 0) is not None


def test_an_extension_is_not_accepted_while_images_are_being_removed(store: Store, spec: JobSpec) -> None:
    ancestor = Ancestor(job=spec.id, n=spec.n, stop=spec.n)
    longer = spec.model_copy(update={"id": "y" * 22, "n": 2 * spec.n, "ancestors": (ancestor,)})
    tried = list[bool]()

    def try_to_extend(job_id: str, now: datetime) -> list[str]:
        """Extend the job just after a removal has looked for extensions."""
        found = JobStore.extensions(store.jobs, job_id, now)
        with pytest.raises(AncestorRemovedError):
            store.jobs.create(longer)
        tried.append(True)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.jobs, "extensions", try_to_extend)
        assert store.jobs.remove_images(spec, STATE, ENDED)
    assert tried
    assert store.jobs.spec(longer.id) is None
    with pytest.raises(AncestorRemovedError):
        store.jobs.create(longer)


def test_a_second_removal_does_not_undo_the_first(store: Store, spec: JobSpec) -> None:
    """The second one finds an extension that has begun after the first one had looked, and gives up."""
    ancestor = Ancestor(job=spec.id, n=spec.n, stop=spec.n)
    longer = spec.model_copy(update={"id": "y" * 22, "n": 2 * spec.n, "ancestors": (ancestor,)})
    assert store.jobs.remove_images(spec, STATE, ENDED)
    with pytest.raises(AncestorRemovedError):
        store.jobs.create(longer)
    assert store.jobs.extensions(spec.id, datetime.now(UTC)) == [longer.id]  # its request may still be writing its spec
    assert store.jobs.extensions(spec.id, datetime.now(UTC) + HOUR) == []
    assert not store.jobs.remove_images(spec, STATE, datetime.now(UTC))
    state = store.jobs.state(spec.id)
    assert state is not None
    assert state.is_removed
