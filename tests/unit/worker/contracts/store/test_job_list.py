from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from tests.s3 import BUCKET, S3Server
from tests.unit.conftest import MakeSpec
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3.environment(s3.port).items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid4().hex}"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> Store:
    return Store(request.getfixturevalue(request.param))


def spec_at(make_spec: MakeSpec, number: int, minutes: float, **more: object) -> JobSpec:
    created = START + timedelta(minutes=minutes)
    return make_spec().model_copy(update={"id": f"{number:022}", "created": created, **more})


def listed(store: Store, owner: str = "", name: str | None = None, cursor: str | None = None) -> list[int]:
    return [int(entry.id) for entry in store.jobs.list.after(owner, name, cursor)]


def test_jobs_are_listed_from_the_newest_to_the_oldest(store: Store, make_spec: MakeSpec) -> None:
    minutes = Random(1).sample(range(60 * 24 * 30), 40)
    for number, minute in enumerate(minutes):
        store.jobs.list.add(spec_at(make_spec, number, minute))
    newest_first = sorted(range(40), key=lambda number: -minutes[number])
    assert listed(store) == newest_first
    for entry in list(store.jobs.list.after("", None, None)):
        assert listed(store, cursor=entry.cursor) == newest_first[newest_first.index(int(entry.id)) + 1 :]


def test_a_walk_sees_each_job_once_while_others_are_added(store: Store, make_spec: MakeSpec) -> None:
    for number in range(20):
        store.jobs.list.add(spec_at(make_spec, number, number))
    seen, cursor = list[int](), None
    for added in range(20, 40):
        entry = next(store.jobs.list.after("", None, cursor))
        seen.append(int(entry.id))
        cursor = entry.cursor
        store.jobs.list.add(spec_at(make_spec, added, added))
    assert seen == list(range(19, -1, -1))


def test_owners_and_names_have_lists_of_their_own(store: Store, make_spec: MakeSpec) -> None:
    store.jobs.list.add(spec_at(make_spec, 1, 1))
    store.jobs.list.add(spec_at(make_spec, 2, 2, owner="alice"))
    store.jobs.list.add(spec_at(make_spec, 3, 3, owner="alice", name="eyes"))
    store.jobs.list.add(spec_at(make_spec, 4, 4, owner="alice.b", name="eyes"))
    assert (listed(store), listed(store, "alice"), listed(store, "alice.b")) == ([1], [3, 2], [4])
    assert (listed(store, "alice", "eyes"), listed(store, "", "eyes"), listed(store, "alice", "ey")) == ([3], [], [])


def test_a_job_of_one_address_is_not_listed(store: Store, make_spec: MakeSpec) -> None:
    store.jobs.list.add(spec_at(make_spec, 1, 1, is_address=True))
    assert listed(store) == []


def test_a_settled_job_is_listed_even_if_its_entry_was_lost(store: Store, make_spec: MakeSpec) -> None:
    spec = spec_at(make_spec, 1, 1, name="eyes")
    store.jobs.create(spec)
    store.jobs.settle(spec, JobState(outcome="failed", started=None, finished=START))
    assert (listed(store), listed(store, "", "eyes")) == ([1], [1])


def test_temporary_files_are_not_listed(folder: str, make_spec: MakeSpec) -> None:
    store = Store(folder)
    store.jobs.list.add(spec_at(make_spec, 1, 1))
    (entry,) = (path for path in Path(folder, "listed").rglob("*") if path.is_file())
    entry.with_name(f"{entry.name}#1").touch()
    assert listed(store) == [1]
