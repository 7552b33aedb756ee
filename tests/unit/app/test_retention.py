import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.retention import Retention
from tests.unit.conftest import MakeSpec
from worker.contracts.artifacts import Artifacts
from worker.contracts.jobs import JobSpec, JobState
from worker.contracts.records import ImageTable

ENDED = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATE = JobState(outcome="succeeded", started=ENDED, finished=ENDED)


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(str(tmp_path))


@pytest.fixture
def spec(artifacts: Artifacts, make_spec: MakeSpec) -> JobSpec:
    """A job that has ended and is kept for two hours."""
    made = make_spec().model_copy(update={"ttl_hours": 2})
    artifacts.create_job(made)
    artifacts.commit_shard(made.id, 0, b"slice", ImageTable())
    artifacts.finish(made.id, STATE)
    artifacts.settle_job(made, STATE)
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_images_go_when_their_time_has_come_and_the_request_stays(
    artifacts: Artifacts, spec: JobSpec, tmp_path: Path
) -> None:
    retention = Retention(artifacts, timedelta(0))
    before = names(tmp_path)
    retention.tend(ENDED + 2 * HOUR - timedelta(seconds=1))
    assert names(tmp_path) == before
    retention.tend(ENDED + 2 * HOUR)
    assert names(tmp_path) == {"spec.json", "state.json"}
    assert artifacts.spec(spec.id) == spec
    assert artifacts.shard(spec.id, 0) is None


def test_a_job_that_is_open_again_keeps_its_images(artifacts: Artifacts, spec: JobSpec, tmp_path: Path) -> None:
    artifacts.forget_ending(spec.id)
    Retention(artifacts).tend(ENDED + 3 * HOUR)
    assert artifacts.shard(spec.id, 0) is not None
    artifacts.finish(spec.id, STATE)
    artifacts.settle_job(spec, STATE)
    Retention(artifacts).tend(ENDED + 3 * HOUR)
    assert names(tmp_path) == {"spec.json", "state.json"}


def test_what_was_made_of_a_discarded_job_goes(artifacts: Artifacts, make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec()
    artifacts.create_job(spec)
    artifacts.discard_job(spec.id, ENDED)
    artifacts.commit_shard(spec.id, 0, b"slice", ImageTable())  # its task had come through
    Retention(artifacts).tend(ENDED + HOUR)
    assert names(tmp_path) == set()


def test_a_damaged_job_does_not_keep_the_others(artifacts: Artifacts, spec: JobSpec, tmp_path: Path) -> None:
    damaged = tmp_path / "jobs" / ("d" * 22)
    damaged.mkdir()
    (damaged / "spec.json").write_bytes(b"{")
    (tmp_path / "due" / f"1.{damaged.name}").touch()
    Retention(artifacts).tend(ENDED + 3 * HOUR)
    assert artifacts.shard(spec.id, 0) is None
    assert (tmp_path / "due" / f"1.{damaged.name}").exists()


def test_what_was_never_finished_goes_after_an_hour(artifacts: Artifacts, tmp_path: Path) -> None:
    for age, path in ((2, "learnt/lesson/state.safetensors#1"), (0.5, "styles/id/picture.png#7")):
        half = tmp_path / path
        half.parent.mkdir()
        half.write_bytes(b"half")
        written = (ENDED - age * HOUR).timestamp()
        os.utime(half, (written, written))
    artifacts.keep_half_learnt("lesson", b"whole", 1000)
    Retention(artifacts).tend(ENDED)
    assert names(tmp_path) == {"state.safetensors", "picture.png#7"}


def test_it_looks_now_and_then(artifacts: Artifacts, spec: JobSpec) -> None:
    retention = Retention(artifacts, 3 * HOUR)
    retention.tend(ENDED)
    retention.tend(ENDED + 2 * HOUR)
    assert artifacts.shard(spec.id, 0) is not None
    retention.tend(ENDED + 3 * HOUR)
    assert artifacts.shard(spec.id, 0) is None
