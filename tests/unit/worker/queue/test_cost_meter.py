import pytest

from tests.unit.conftest import spec_of
from tests.unit.selections import candidate_of, selecting_spec
from worker.contracts.costs import FileSizes, ModelCosts
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec
from worker.queue.cost_meter import CostMeter
from worker.rendering.candidate import Verdict

SAMPLE = ModelCosts(
    sizes={"png": FileSizes(mean_bytes=(1000,), deviation=0.1, images=64)},
    image_seconds={"png": 0.001, "jpeg": 0.002},
    candidate_seconds=0.0001,
)
SPEC = spec_of(1000)


@pytest.fixture
def meter() -> CostMeter:
    meter = CostMeter(threads=2, styled_together=8)
    meter.add(SPEC.model.sha256, SAMPLE)
    return meter


def costs_of(meter: CostMeter) -> ModelCosts:
    return meter.costs.models[SPEC.model.sha256]


def record(meter: CostMeter, spec: JobSpec, count: int, seconds: float, drawn: int | None = None) -> None:
    verdict, most = Verdict(700), count if drawn is None else drawn
    meter.record_shard(spec, [candidate_of(k, verdict, k, k < most) for k in range(count)], seconds)


def test_the_median_of_the_last_shards_corrects_the_sample(meter: CostMeter) -> None:
    for seconds in (0.2, 9.0, 0.2, 0.2):  # one shard was slow
        record(meter, SPEC, 100, seconds)
    assert costs_of(meter).image_seconds == pytest.approx({"png": 0.002, "jpeg": 0.002})
    for _ in range(5):
        record(meter, SPEC, 100, 0.4)
    assert costs_of(meter).image_seconds["png"] == pytest.approx(0.004)


def test_a_short_shard_changes_nothing(meter: CostMeter) -> None:
    record(meter, SPEC, 16, 0.19)
    assert costs_of(meter) == SAMPLE


def test_a_shard_of_a_job_with_a_gate_counts_unless_most_images_are_rejected(meter: CostMeter) -> None:
    for _ in range(2):
        record(meter, selecting_spec(100), 1000, seconds=2 * (600 * 0.001 + 1000 * 0.0001), drawn=600)
        record(meter, selecting_spec(100), 1000, seconds=99, drawn=400)
    assert costs_of(meter).image_seconds["png"] == pytest.approx(0.002)
    assert costs_of(meter).candidate_seconds == SAMPLE.candidate_seconds


def test_styles_are_measured_by_image_and_step(meter: CostMeter) -> None:
    style = StyleSpec(id="1" * 64, steps=50)
    record(meter, SPEC.model_copy(update={"style": style}), 12, 8.0)
    assert costs_of(meter).styling_seconds == pytest.approx(8 / (16 * 50))  # 12 images in groups of four, two threads
    meter.record_learning(SPEC.model.sha256, style, 0.1, 10.0)
    assert costs_of(meter).learning_seconds == pytest.approx(2.0)


def test_a_model_without_a_sample_is_ignored() -> None:
    meter = CostMeter(threads=2, styled_together=8)
    record(meter, SPEC, 100, 1)
    meter.record_learning(SPEC.model.sha256, StyleSpec(id="1" * 64, steps=50), 0.1, 1)
    assert not meter.costs.models
