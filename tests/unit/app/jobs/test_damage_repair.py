"""What a power cut leaves: files that are missing, empty, cut short or full of zeros."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.jobs.damage_repair import is_whole, repair_after_crash
from tests.unit.conftest import spec_of
from tests.unit.selections import commit_shard, selecting_spec
from worker.archive.archive_writer import write_archive
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchivePart, ImageTable
from worker.contracts.store.store import Store

SPEC = spec_of(n=10)
DATA = b"header" + b"pixels" * 100
TABLE = ImageTable(offsets=(6,), sizes=(600,), crc32s=(zlib.crc32(DATA[6:]),), sha256s=("0" * 64,))

Spoil = Callable[[Path], None]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def missing(path: Path) -> None:
    path.unlink()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one finished job that is not settled yet."""
    made = Store(str(tmp_path))
    made.jobs.create(SPEC)
    for shard in range(SPEC.shard_count):
        made.shards.commit(SPEC.id, shard, DATA, TABLE)
    made.archives.publish(SPEC.id, parts_of(made, SPEC), b"the tail")
    made.jobs.finish(SPEC.id, JobState(outcome="succeeded", started=None, finished=datetime.now(UTC)))
    return made


def parts_of(store: Store, spec: JobSpec) -> list[ArchivePart]:
    return [part for shard in store.choices.chosen_shards(spec) for part in shard.parts()]


def job_file(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(f"jobs/{SPEC.id}/{pattern}")
    return path


def test_a_whole_job_is_left_alone(store: Store, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / "jobs").rglob("*") if path.is_file()}
    repair_after_crash(store, SPEC.id)
    assert {path: path.read_bytes() for path in (tmp_path / "jobs").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("spoil", [empty, cut_short, zeroed, missing])
@pytest.mark.parametrize("pattern", ["shards/00001.*.bin", "shards/00001.json"])
def test_a_spoilt_shard_is_made_again(store: Store, tmp_path: Path, pattern: str, spoil: Spoil) -> None:
    spoil(job_file(tmp_path, pattern))
    repair_after_crash(store, SPEC.id)
    assert store.shards.committed(SPEC.id) == {0, 2}
    assert (store.jobs.state(SPEC.id), store.archives.plan(SPEC.id)) == (None, None)
    assert store.shards.commit(SPEC.id, 1, DATA, ImageTable())


def test_a_shard_with_bytes_behind_its_last_image_is_made_again(store: Store, tmp_path: Path) -> None:
    data = job_file(tmp_path, "shards/00001.*.bin")
    data.write_bytes(data.read_bytes() + b"x")
    repair_after_crash(store, SPEC.id)
    assert store.shards.committed(SPEC.id) == {0, 2}


@pytest.mark.parametrize("spoil", [empty, cut_short, zeroed, missing])
@pytest.mark.parametrize("name", ["tail.bin", "archive.json"])
def test_a_spoilt_ending_is_made_again(store: Store, tmp_path: Path, name: str, spoil: Spoil) -> None:
    spoil(job_file(tmp_path, name))
    repair_after_crash(store, SPEC.id)
    assert store.shards.committed(SPEC.id) == {0, 1, 2}
    assert (store.jobs.state(SPEC.id), store.archives.plan(SPEC.id)) == (None, None)


@pytest.mark.parametrize("spoil", [empty, cut_short, zeroed])
def test_a_spoilt_state_is_decided_again(store: Store, tmp_path: Path, spoil: Spoil) -> None:
    spoil(job_file(tmp_path, "state.json"))
    repair_after_crash(store, SPEC.id)
    assert store.jobs.state(SPEC.id) is None


@pytest.mark.parametrize("spoil", [empty, cut_short, zeroed, missing])
def test_a_spoilt_request_is_restored_from_its_marker(store: Store, tmp_path: Path, spoil: Spoil) -> None:
    spoil(job_file(tmp_path, "spec.json"))
    repair_after_crash(store, SPEC.id)
    assert store.jobs.spec(SPEC.id) == SPEC


def test_a_job_whose_marker_is_spoilt_was_never_accepted(store: Store, tmp_path: Path) -> None:
    """Nothing may be taken back of it, whatever else is damaged."""
    empty(tmp_path / "open" / SPEC.id)
    empty(job_file(tmp_path, "shards/00001.json"))
    before = {path: path.read_bytes() for path in (tmp_path / "jobs").rglob("*") if path.is_file()}
    repair_after_crash(store, SPEC.id)
    assert {path: path.read_bytes() for path in (tmp_path / "jobs").rglob("*") if path.is_file()} == before


def test_a_job_that_was_settled_since_it_was_listed_is_left_alone(store: Store) -> None:
    state = store.jobs.state(SPEC.id)
    assert state is not None
    store.jobs.settle(SPEC, state)
    repair_after_crash(store, SPEC.id)
    assert store.jobs.state(SPEC.id) == state
    assert store.archives.plan(SPEC.id) is not None


@pytest.mark.parametrize(("part", "read"), [("jobs", "state"), ("archives", "plan"), ("shards", "committed")])
def test_a_job_that_ends_while_it_is_looked_at_is_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, part: str, read: str
) -> None:
    state, parts = store.jobs.state(SPEC.id), parts_of(store, SPEC)
    assert state is not None
    store.jobs.forget_ending(SPEC.id)
    store.shards.forget(SPEC.id, 2)
    look = getattr(getattr(store, part), read)

    def end_after_the_look(job_id: str) -> object:
        seen = look(job_id)
        monkeypatch.undo()
        store.shards.commit(job_id, 2, DATA, TABLE)
        store.archives.publish(job_id, parts, b"the tail")
        store.jobs.finish(job_id, state)
        return seen

    monkeypatch.setattr(getattr(store, part), read, end_after_the_look)
    repair_after_crash(store, SPEC.id)
    assert store.jobs.state(SPEC.id) == state
    assert store.archives.plan(SPEC.id) is not None


@pytest.fixture
def selecting(tmp_path: Path) -> tuple[Store, JobSpec]:
    """A finished job that keeps every second candidate. Its fourth shard was rendered although the job had ended."""
    made, spec = Store(str(tmp_path)), selecting_spec(n=5)
    made.jobs.create(spec)
    for shard in (0, 1, 2, 3):
        commit_shard(made, spec, shard, lambda index: index % 2 == 0)
    made.archives.publish(spec.id, parts_of(made, spec), b"the tail")
    made.jobs.finish(spec.id, JobState(outcome="succeeded", started=None, finished=datetime.now(UTC)))
    return made, spec


@pytest.mark.parametrize("spoil", [zeroed, missing])
def test_images_that_were_laid_out_again_are_laid_out_once_more(tmp_path: Path, spoil: Spoil) -> None:
    spec = selecting_spec(n=5).model_copy(update={"packing": "parquet"})
    made = Store(str(tmp_path))
    made.jobs.create(spec)
    for shard in (0, 1, 2):
        commit_shard(made, spec, shard, lambda index: index % 2 == 0)
    plan = write_archive(made, spec, list(made.choices.chosen_shards(spec)))
    made.jobs.finish(spec.id, JobState(outcome="succeeded", started=None, finished=datetime.now(UTC)))
    made.archives.sweep(spec.id)
    assert is_whole(made, spec)
    (merged,) = tmp_path.glob(f"jobs/{spec.id}/merged/*.bin")  # the third shard has one image too many
    spoil(merged)
    assert not is_whole(made, spec)
    repair_after_crash(made, spec.id)
    assert (made.archives.plan(spec.id), made.shards.committed(spec.id)) == (None, {0, 1, 2})
    assert write_archive(made, spec, list(made.choices.chosen_shards(spec))) == plan
    assert made.archives.is_end_whole(plan)


def test_sweeping_removes_slices_that_no_archive_needs(tmp_path: Path) -> None:
    spec = selecting_spec(n=5).model_copy(update={"packing": "parquet"})
    made = Store(str(tmp_path))
    for shard in (0, 1, 2):
        commit_shard(made, spec, shard, lambda index: index % 2 == 0)
    plan = write_archive(made, spec, list(made.choices.chosen_shards(spec)))
    made.archives.put_merged(spec.id, 0, b"of an attempt that was interrupted")
    made.archives.sweep(spec.id)
    assert [path.name for path in tmp_path.glob("jobs/*/merged/*")] == [Path(plan.parts[-2].path).name]


def test_a_whole_job_with_a_selection_is_left_alone(selecting: tuple[Store, JobSpec], tmp_path: Path) -> None:
    store, spec = selecting
    before = {path: path.read_bytes() for path in (tmp_path / "jobs").rglob("*") if path.is_file()}
    repair_after_crash(store, spec.id)
    assert {path: path.read_bytes() for path in (tmp_path / "jobs").rglob("*") if path.is_file()} == before
    assert is_whole(store, spec)


@pytest.mark.parametrize("spoil", [empty, cut_short, zeroed, missing])
@pytest.mark.parametrize("pattern", ["shards/00001.*.bin", "shards/00001.json"])
def test_a_spoilt_shard_of_a_job_with_a_selection_is_made_again(
    selecting: tuple[Store, JobSpec], tmp_path: Path, pattern: str, spoil: Spoil
) -> None:
    store, spec = selecting
    assert store.choices.is_complete(spec, store.shards.committed(spec.id))
    spoil(job_file(tmp_path, pattern))
    assert not is_whole(Store(str(tmp_path)), spec)
    repair_after_crash(store, spec.id)
    committed = store.shards.committed(spec.id)
    assert committed == {0, 2, 3}
    assert not store.choices.is_complete(spec, committed)  # although this process remembers the choice
    assert commit_shard(store, spec, 1, lambda index: index % 2 == 0)
    assert store.choices.is_complete(spec, store.shards.committed(spec.id))


def test_a_shard_beyond_the_last_image_need_not_be_whole(selecting: tuple[Store, JobSpec], tmp_path: Path) -> None:
    store, spec = selecting
    job_file(tmp_path, "shards/00003.*.bin").unlink()
    assert is_whole(store, spec)


def test_a_changed_byte_between_images_is_found_by_the_checksum_of_the_archive(store: Store, tmp_path: Path) -> None:
    plan = store.archives.plan(SPEC.id)
    assert plan is not None
    assert is_whole(store, SPEC)
    store.archives.compute_digest(SPEC.id, plan)
    assert is_whole(store, SPEC)
    data = job_file(tmp_path, "shards/00001.*.bin")
    data.write_bytes(b"H" + data.read_bytes()[1:])
    assert not is_whole(store, SPEC)
