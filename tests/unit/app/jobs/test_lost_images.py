from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.jobs.lost_images import is_extension_lost, is_lost_or_damaged
from tests.unit.conftest import MakeSpec
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Ancestor
from worker.contracts.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def longer(make_spec: MakeSpec) -> JobSpec:
    return make_spec(n=20).model_copy(update={"ancestors": (Ancestor(job="a" * 22, n=10, stop=10),)})


def test_an_extension_that_runs_is_not_lost(store: Store, longer: JobSpec) -> None:
    store.jobs.create(longer)
    assert not is_extension_lost(store, longer)


def test_an_extension_that_has_just_failed_makes_room_for_a_job_of_all_images(store: Store, longer: JobSpec) -> None:
    store.jobs.create(longer)
    store.jobs.finish(longer.id, JobState(outcome="failed", started=None, finished=datetime.now(UTC)))
    assert not is_lost_or_damaged(store, longer)
    assert is_extension_lost(store, longer)
    assert not is_extension_lost(store, longer.model_copy(update={"ancestors": ()}))
