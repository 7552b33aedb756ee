import pytest

from app.estimates.job_duration import UnknownDurationError, job_duration
from app.schemas.estimates import EstimatedSeconds
from tests.unit.conftest import spec_of
from tests.unit.selections import selecting_spec
from worker.contracts.costs import FileSizes, ModelCosts, WorkerCosts
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.task_queue import WaitingTask
from worker.contracts.styles import Mode, StyleSpec

SPEED = 1000
COSTS = ModelCosts(
    sizes={"png": FileSizes(mean_bytes=(1000,), deviation=0.1, images=64)},
    image_seconds={"png": 1 / SPEED},
    candidate_seconds=0.05 / SPEED,
)
NO_TASKS = ((), ())


def worker(costs: ModelCosts = COSTS) -> WorkerCosts:
    return WorkerCosts(threads=2, models={spec_of().model.sha256: costs})


def duration(
    spec: JobSpec, workers: int = 1, waiting: tuple[list[WaitingTask], list[WaitingTask]] = ([], [])
) -> EstimatedSeconds:
    return job_duration(spec, 0, [worker()] * workers, waiting, is_learnt=True)


def styled(mode: Mode, n: int = 10) -> JobSpec:
    return spec_of(n).model_copy(update={"style": StyleSpec(id="1" * 64, mode=mode, steps=60)})


def test_the_parts_add_up_and_grow_with_the_job() -> None:
    small, large = duration(spec_of(1, shard_images=1000)), duration(spec_of(100_000, shard_images=1000))
    assert small.total < 0.02
    assert large.rendering == pytest.approx(100, rel=0.02)
    parts = large.waiting + large.learning + large.rendering + large.closing
    assert large.total == pytest.approx(parts, abs=0.02)


def test_workers_share_the_shards_of_a_job() -> None:
    spec = spec_of(4000, shard_images=1000)
    assert duration(spec, workers=4).rendering == pytest.approx(duration(spec).rendering / 4, rel=0.01)
    single = spec_of(1000, shard_images=1000)
    assert duration(single, workers=4).rendering == pytest.approx(duration(single).rendering, rel=0.01)


def test_a_selection_scores_all_candidates_and_draws_those_that_it_keeps() -> None:
    plain, chosen = spec_of(1000, shard_images=1000), selecting_spec(1000, keep=500, shard_images=1000)
    factor = duration(chosen).rendering / duration(plain).rendering
    assert 1.05 < factor < 1.4


def test_a_long_job_waits_for_a_turn_of_each_other_job_before_each_of_its_shards() -> None:
    spec = spec_of(2000, shard_images=1000)
    assert duration(spec).waiting == 0
    assert duration(spec, waiting=([], [WaitingTask(500, 0)])).waiting == pytest.approx(0.5)
    assert duration(spec, waiting=([], [WaitingTask(10**6, 0)] * 3)).waiting == pytest.approx(6)
    assert duration(spec, workers=2, waiting=([], [WaitingTask(10**6, 0)] * 3)).waiting == pytest.approx(3)


def test_a_short_job_waits_for_short_jobs_and_for_the_shard_that_is_rendered_now() -> None:
    spec = spec_of(10, shard_images=1000)
    assert spec.is_short
    assert duration(spec, waiting=([], [WaitingTask(10**6, 0)] * 30)).waiting == pytest.approx(0.5)
    assert duration(spec, waiting=([WaitingTask(100, 0)] * 10, [])).waiting == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("mode", ["standard", "distilled"])
def test_the_time_of_a_style_is_unknown_until_a_worker_has_measured_it(mode: Mode) -> None:
    with pytest.raises(UnknownDurationError, match=r"no live worker has .* since its start"):
        job_duration(styled(mode), 0, [worker()], NO_TASKS, is_learnt=False)
    measured = worker(COSTS.model_copy(update={"styling_seconds": 0.01, "learning_seconds": 0.1}))
    found = job_duration(styled(mode), 0, [measured], NO_TASKS, is_learnt=False)
    if mode == "distilled":
        assert found.learning == pytest.approx(6)
        assert job_duration(styled(mode), 0, [worker()], NO_TASKS, is_learnt=True).learning == 0
    else:
        assert found.rendering == pytest.approx(16 * 60 * 0.01, rel=0.05)  # groups of four, in two threads
