from datetime import UTC, datetime, timedelta

import pytest

from app.cluster.cluster_state import Progress
from app.jobs.status import job_view
from tests.unit.conftest import MakeSpec
from worker.contracts.choice import Choice
from worker.contracts.job_state import JobError, JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection

START = datetime(2030, 1, 1, tzinfo=UTC)
LATER = START + timedelta(seconds=10)


@pytest.fixture
def spec(make_spec: MakeSpec) -> JobSpec:
    return make_spec(n=300, shard_images=256)


def test_a_job_that_nobody_began_is_queued(spec: JobSpec) -> None:
    job = job_view(spec, None, Progress({}, None), LATER)
    assert (job.state, job.done, job.images_done, job.images_per_s, job.eta_seconds) == ("queued", False, 0, None, None)


def test_a_running_job_tells_its_rate_and_the_time_that_is_left(spec: JobSpec) -> None:
    job = job_view(spec, None, Progress({0: 96, 1: 4}, START.timestamp()), LATER)
    assert (job.state, job.images_done, job.images_per_s, job.eta_seconds) == ("running", 100, 10.0, 20.0)


@pytest.mark.parametrize("minutes", [-60, 10, 24 * 60], ids=lambda minutes: f"{minutes} minutes")
def test_a_worker_whose_clock_is_wrong_does_not_change_the_rate_much(spec: JobSpec, minutes: int) -> None:
    started = (START + timedelta(minutes=minutes)).timestamp()
    job = job_view(spec, None, Progress({0: 96, 1: 4}, started), LATER)
    assert (job.state, job.images_per_s, job.eta_seconds) == ("running", 10.0, 20.0)


def test_there_is_no_rate_when_all_clocks_were_ahead(spec: JobSpec) -> None:
    job = job_view(spec, None, Progress({0: 96}, LATER.timestamp()), START - timedelta(days=1))
    assert (job.state, job.images_per_s, job.eta_seconds) == ("running", None, None)


def test_an_ended_job_tells_its_end_and_waits_for_nothing(spec: JobSpec) -> None:
    error = JobError(code="render_failed", message="it broke")
    state = JobState(outcome="failed", started=START, finished=LATER, error=error)
    job = job_view(spec, state, Progress({0: 256}, START.timestamp()), LATER)
    assert job.error is not None
    assert job.error.model_dump() == {"code": "render_failed", "message": "it broke", "retryable": False}
    assert (job.state, job.done, job.finished) == ("failed", True, LATER)
    assert (job.images_done, job.images_per_s, job.eta_seconds) == (256, 25.6, None)


def test_trouble_of_the_service_may_be_over_when_a_job_is_tried_again(spec: JobSpec) -> None:
    error = JobError(code="worker_crashed", message="three of them")
    state = JobState(outcome="failed", started=START, finished=LATER, error=error)
    job = job_view(spec, state, Progress({}, None), LATER)
    assert job.error is not None
    assert job.error.retryable


def test_a_job_links_to_its_parts(spec: JobSpec) -> None:
    links = job_view(spec, None, Progress({}, None), LATER).links.model_dump(by_alias=True)
    assert links["self"] == f"/jobs/{spec.id}"
    assert links["image"] == f"/jobs/{spec.id}/images/{{index}}.png"


@pytest.fixture
def selecting(spec: JobSpec) -> JobSpec:
    return spec.model_copy(update={"selection": Selection(gate="a" * 64, keep=250), "first": 10})


def choice_of(spec: JobSpec, kept: int) -> Choice:
    """A choice that has kept every second candidate."""
    choice = Choice(spec)
    for index in range(2 * kept):
        choice.take(spec.first + index, None, is_accepted=index % 2 == 1)
    return choice


def test_a_plain_job_is_continued_after_its_last_image(spec: JobSpec) -> None:
    job = job_view(spec, None, Progress({}, None), LATER)
    assert (job.next_start, job.keep, job.copies, job.tried, job.yield_) == (300, None, "keep", None, None)


def test_a_job_with_a_selection_counts_its_kept_images(selecting: JobSpec) -> None:
    job = job_view(selecting, None, Progress({0: 99}, START.timestamp()), LATER, choice_of(selecting, 100))
    assert (job.state, job.images_done, job.images_per_s, job.eta_seconds) == ("running", 100, 10.0, 20.0)
    assert (job.keep, job.tried, job.next_start) == (0.25, 200, None)
    assert job.yield_ is not None
    assert (job.yield_.kept, job.yield_.tried, job.yield_.by_class) == (100, 200, {})
    assert (job.yield_.low, job.yield_.high) == (0.4314, 0.5686)


def test_an_ended_job_with_a_selection_tells_where_it_ended(selecting: JobSpec) -> None:
    state = JobState(outcome="succeeded", started=START, finished=LATER)
    job = job_view(selecting, state, Progress({}, None), LATER, choice_of(selecting, 300))
    assert (job.images_done, job.tried, job.next_start) == (300, 600, 610)


def test_nothing_is_told_of_a_choice_whose_shards_are_removed(selecting: JobSpec) -> None:
    state = JobState(outcome="succeeded", started=START, finished=LATER)
    for choice in (None, choice_of(selecting, 0)):
        job = job_view(selecting, state, Progress({}, None), LATER, choice)
        assert (job.images_done, job.tried, job.yield_, job.next_start) == (300, None, None, None)
