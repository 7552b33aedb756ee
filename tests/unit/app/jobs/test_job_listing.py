import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.jobs.damage_repair import repair_after_crash
from app.jobs.job_listing import MAX_READ_JOBS, JobListing
from app.jobs.job_reader import JobReader
from app.schemas.job_list_query import JobListQuery
from app.schemas.responses import Job
from tests.unit.conftest import MakeSpec
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def listing(store: Store, redis: Redis) -> JobListing:
    return JobListing(store, JobReader(store, ClusterState(redis)))


def add(store: Store, make_spec: MakeSpec, number: int, outcome: str = "", **more: object) -> JobSpec:
    created = START + timedelta(seconds=number)
    spec = make_spec().model_copy(update={"id": f"{number:022}", "created": created, **more})
    store.jobs.create(spec)
    store.jobs.list.add(spec)
    if outcome:
        state = {"outcome": outcome, "started": None, "finished": created}
        store.jobs.finish(spec.id, JobState.model_validate(state))
    return spec


def walk(listing: JobListing, **query: object) -> tuple[list[int], int]:
    """Return the jobs of all pages, and the number of pages."""
    found, pages, after = list[Job](), 0, None
    while pages == 0 or after is not None:
        page = listing.page("", JobListQuery.model_validate({**query, "after": after}))
        assert len(page.jobs) <= JobListQuery.model_validate(query).limit
        found, pages, after = found + page.jobs, pages + 1, page.next
    return [int(job.id) for job in found], pages


def test_pages_hold_each_job_once_and_none_comes_after_the_last(
    listing: JobListing, store: Store, make_spec: MakeSpec
) -> None:
    assert walk(listing) == ([], 1)
    for number in range(30):
        add(store, make_spec, number)
    for limit, pages in [(1, 30), (7, 5), (10, 3), (30, 1), (200, 1)]:
        assert walk(listing, limit=limit) == (list(range(29, -1, -1)), pages)


def test_filters_choose_by_state_model_and_name(listing: JobListing, store: Store, make_spec: MakeSpec) -> None:
    other = make_spec().model.model_copy(update={"name": "emoji", "sha256": "1" * 64})
    add(store, make_spec, 1, "succeeded")
    add(store, make_spec, 2, "failed", name="eyes")
    add(store, make_spec, 3, "succeeded", name="eyes", model=other)
    add(store, make_spec, 4)
    assert walk(listing, state="succeeded")[0] == [3, 1]
    assert walk(listing, state="queued")[0] == [4]
    assert walk(listing, name="eyes")[0] == [3, 2]
    assert walk(listing, name="eyes", state="failed")[0] == [2]
    assert walk(listing, model="emoji")[0] == walk(listing, model="1" * 64)[0] == [3]
    assert walk(listing, model="nothing")[0] == []


def test_a_request_reads_a_limited_number_of_jobs(listing: JobListing, store: Store, make_spec: MakeSpec) -> None:
    add(store, make_spec, 0, "succeeded")
    for number in range(1, MAX_READ_JOBS + 1):
        add(store, make_spec, number)
    page = listing.page("", JobListQuery(state="succeeded"))
    assert page.jobs == []
    assert page.next is not None
    assert walk(listing, state="succeeded") == ([0], 2)


def test_a_job_that_cannot_be_read_is_left_out(
    listing: JobListing, store: Store, make_spec: MakeSpec, tmp_path: Path
) -> None:
    damaged, discarded, whole = (add(store, make_spec, number) for number in range(3))
    (tmp_path / "jobs" / damaged.id / "spec.json").write_bytes(b"{")
    store.jobs.discard(discarded.id, START)
    assert walk(listing)[0] == [int(whole.id)]


def test_an_entry_that_a_power_cut_has_removed_is_written_again(
    listing: JobListing, store: Store, make_spec: MakeSpec, tmp_path: Path
) -> None:
    spec = add(store, make_spec, 1, name="eyes")
    for entry in [path for name in ("listed", "named") for path in (tmp_path / name).rglob("*") if path.is_file()]:
        entry.unlink()
    assert walk(listing)[0] == []
    repair_after_crash(store, spec.id)
    assert walk(listing)[0] == walk(listing, name="eyes")[0] == [1]


def test_a_page_of_ten_thousand_jobs_takes_less_than_a_tenth_of_a_second(
    listing: JobListing, store: Store, make_spec: MakeSpec
) -> None:
    for number in range(10_000):
        add(store, make_spec, number)
    seconds = []
    for _ in range(5):
        began = time.process_time()  # other programs of the machine hardly change it
        assert len(listing.page("", JobListQuery()).jobs) == 50
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.1
