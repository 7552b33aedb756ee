import asyncio
import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from tests.unit.conftest import MakeSpec
from worker.contracts.job_state import JobState
from worker.contracts.store.archive_index import ArchivePart, ArchivePlan, ImageTable
from worker.contracts.store.archive_store import _near_parts
from worker.contracts.store.store import Store
from worker.contracts.styles import StyleEntry

TABLE = ImageTable(offsets=(2,), sizes=(3,), crc32s=(0,), sha256s=("0" * 64,))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def state(outcome: str) -> JobState:
    return JobState.model_validate({"outcome": outcome, "started": None, "finished": datetime.now(UTC)})


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_accepted_job_is_written_down_and_open(store: Store, make_spec: MakeSpec) -> None:
    spec = make_spec()
    store.jobs.create(spec)
    assert store.jobs.spec(spec.id) == spec
    assert [job_id for job_id, _ in store.jobs.open_jobs()] == [spec.id]


def test_of_two_that_want_the_same_id_the_first_decides(store: Store, make_spec: MakeSpec) -> None:
    first = make_spec(n=1)
    assert store.jobs.create(first) == (first, True)
    assert store.jobs.create(make_spec(n=2)) == (first, False)
    assert store.jobs.restored_spec(first.id) == store.jobs.spec(first.id) == first


def test_a_call_between_a_marker_and_its_spec_writes_that_spec(
    store: Store, make_spec: MakeSpec, tmp_path: Path
) -> None:
    first = make_spec(n=1)
    store.jobs.create(first)
    (tmp_path / "jobs" / first.id / "spec.json").unlink()
    assert store.jobs.create(make_spec(n=2)) == (first, True)
    assert store.jobs.spec(first.id) == first


def test_a_marker_that_cannot_be_read_is_written_anew(store: Store, make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec()
    (tmp_path / "open" / spec.id).write_bytes(b"{")
    assert store.jobs.create(spec) == (spec, True)
    assert store.jobs.restored_spec(spec.id) == spec


def test_a_marker_is_put_back_when_its_request_was_written_while_it_was_removed(
    store: Store, make_spec: MakeSpec
) -> None:
    spec = make_spec()
    store.jobs.create(spec)
    store.jobs.close_orphan(spec.id)
    assert store.jobs.restored_spec(spec.id) == spec
    store.jobs.close_orphan("y" * 22)
    assert [job_id for job_id, _ in store.jobs.open_jobs()] == [spec.id]


def test_data_that_an_index_names_are_never_swept(store: Store, tmp_path: Path) -> None:
    store.shards.commit("j", 0, b"one", ImageTable())
    store.archives.publish("j", [], b"end")
    kept = files(tmp_path)
    store.archives.sweep("j")
    assert files(tmp_path) == kept


def test_data_of_a_damaged_index_are_never_swept(store: Store, tmp_path: Path) -> None:
    store.shards.commit("j", 0, b"one", ImageTable())
    store.archives.publish("j", [], b"end")
    (tmp_path / "jobs/j/shards/00000.json").write_bytes(b"{")
    kept = files(tmp_path)
    store.archives.sweep("j")
    assert files(tmp_path) == kept


def test_of_a_discarded_job_there_is_a_note_to_remove_what_was_made_of_it(
    store: Store, make_spec: MakeSpec, tmp_path: Path
) -> None:
    spec, now = make_spec(), datetime.now(UTC)
    store.jobs.create(spec)
    store.jobs.discard(spec.id, now)
    (note,) = files(tmp_path)
    assert list(store.jobs.due(now)) == []
    assert list(store.jobs.due(now + timedelta(hours=1))) == [(spec.id, note)]


def test_the_first_ending_decides_and_settling_closes_the_job(store: Store, make_spec: MakeSpec) -> None:
    spec = make_spec()
    store.jobs.create(spec)
    assert store.jobs.finish(spec.id, state("cancelled"))
    assert not store.jobs.finish(spec.id, state("succeeded"))
    ended = store.jobs.state(spec.id)
    assert ended is not None
    assert ended.outcome == "cancelled"
    assert len(list(store.jobs.open_jobs())) == 1
    store.jobs.settle(spec, ended)
    assert list(store.jobs.open_jobs()) == []


def test_the_first_attempt_at_a_shard_counts_and_the_second_leaves_nothing(store: Store, tmp_path: Path) -> None:
    assert store.shards.commit("j", 3, b"..abc", TABLE)
    before = files(tmp_path)
    assert not store.shards.commit("j", 3, b"other", TABLE)
    assert files(tmp_path) == before
    shard = store.shards.index("j", 3)
    assert shard is not None
    assert store.shards.image(shard, 0) == b"abc"
    assert store.shards.committed("j") == {3}


def test_what_is_not_there_is_none(store: Store) -> None:
    found = (store.jobs.spec("j"), store.jobs.state("j"), store.shards.index("j", 0), store.archives.plan("j"))
    assert found == (None, None, None, None)
    assert store.shards.committed("j") == set()


def test_an_archive_is_its_parts_in_order(store: Store) -> None:
    for number, data in enumerate((b"one", b"two")):
        store.shards.commit("j", number, data, ImageTable())
    plan = store.archives.publish("j", _parts(store, 2), b"end")
    assert store.archives.plan("j") == plan
    assert plan.size == 9
    for start, stop in itertools.combinations(range(10), 2):
        assert asyncio.run(_read(store, plan, start, stop)) == b"onetwoend"[start:stop]


def test_ranges_of_one_object_are_read_as_if_each_was_read_alone(tmp_path: Path) -> None:
    store, random = Store(str(tmp_path)), Random(1)
    objects = {f"jobs/j/shards/0000{k}.bin": random.randbytes(1_500_000) for k in range(2)}
    for path, data in objects.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    parts = [
        ArchivePart(path=path, start=begin, size=size)
        for path in objects
        for begin, size in ((7, 3), (10, 1), (600, 5), (200_000, 300_000), (1_200_000, 9), (1_499_999, 1), (4, 2))
    ]
    whole = b"".join(objects[part.path][part.start : part.start + part.size] for part in parts)
    plan = ArchivePlan(parts=tuple(parts), tail_crc32=0)
    for start, stop in [(0, len(whole)), *(sorted(random.sample(range(len(whole)), 2)) for _ in range(30))]:
        assert asyncio.run(_read(store, plan, start, stop)) == whole[start:stop]


def test_near_ranges_of_one_object_are_read_at_once() -> None:
    places = [("a", 0), ("a", 10_000), ("a", 20_000), ("a", 5_000_000), ("b", 5_001_000), ("b", 0)]
    parts = [ArchivePart(path=path, start=start, size=1000) for path, start in places]
    assert list(_near_parts(parts)) == [parts[:3], parts[3:4], parts[4:5], parts[5:]]


def _parts(store: Store, count: int) -> list[ArchivePart]:
    shards = [shard for k in range(count) if (shard := store.shards.index("j", k))]
    return [ArchivePart(path=shard.data, size=shard.size) for shard in shards]


async def _read(store: Store, plan: ArchivePlan, start: int, stop: int) -> bytes:
    return b"".join([chunk async for chunk in store.archives.stream(plan, start, stop)])


def test_sweeping_removes_what_no_archive_needs(store: Store, tmp_path: Path) -> None:
    store.shards.commit("j", 0, b"one", ImageTable())
    store.archives.publish("j", _parts(store, 1), b"end")
    kept = files(tmp_path)
    (tmp_path / "jobs/j/shards/00000.dead.bin").write_bytes(b"broken attempt")
    (tmp_path / "jobs/j/shards/00000.dead.bin#1").write_bytes(b"broken off in the middle of a file")
    store.archives.sweep("j")
    assert files(tmp_path) == kept


def test_what_the_worker_that_ended_a_job_could_not_sweep_is_swept_when_it_is_settled(
    store: Store, make_spec: MakeSpec, tmp_path: Path
) -> None:
    spec = make_spec()
    store.jobs.create(spec)
    store.archives.publish(spec.id, [], b"end")
    store.jobs.finish(spec.id, state("succeeded"))
    orphan = tmp_path / "jobs" / spec.id / "shards" / "00000.dead.bin"
    orphan.parent.mkdir()
    orphan.write_bytes(b"broken attempt")
    store.jobs.settle(spec, state("succeeded"))
    assert not orphan.exists()


def test_a_cancelled_job_loses_its_images_also_when_two_remove_them_at_once(
    store: Store, make_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(n=100)
    store.jobs.create(spec)
    for shard in range(20):
        store.shards.commit(spec.id, shard, b"slice", ImageTable())
    store.jobs.finish(spec.id, state("cancelled"))
    objects = store._objects
    remove_all = objects.delete_all

    def remove_after_another(paths: Iterable[str]) -> None:
        known = list(paths)
        remove_all(known[5:15])
        remove_all(known)

    monkeypatch.setattr(objects, "delete_all", remove_after_another)
    store.jobs.settle(spec, state("cancelled"))
    assert files(tmp_path / "jobs") == {f"{spec.id}/spec.json", f"{spec.id}/state.json"}
    assert len(files(tmp_path / "due")) == len(files(tmp_path / "listed")) == 1


def test_a_store_that_can_be_written_passes_its_check_and_stays_empty(store: Store, tmp_path: Path) -> None:
    store.check_writable()
    assert files(tmp_path) == set()


def test_a_style_image_is_listed_for_its_owners_only(store: Store) -> None:
    now = datetime.now(UTC)
    entries = {
        owner: StyleEntry(id="0" * 64, width=1, height=1, owner=owner, created=now) for owner in ("", "al", "0" * 64)
    }
    for owner, entry in entries.items():
        assert store.styles.entry(owner, entry.id) is None
        assert store.styles.add(entry, b"the same pixels")
        assert not store.styles.add(entry, b"the same pixels")
    for owner, entry in entries.items():
        assert store.styles.entry(owner, entry.id) == entry
        assert list(store.styles.entries(owner)) == [entry]
    assert list(store.styles.entries("alice")) == list(store.styles.entries("a")) == []
    assert store.styles.image("0" * 64) == b"the same pixels"
