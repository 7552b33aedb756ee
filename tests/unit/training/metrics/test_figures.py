import pytest
import torch
from torch import Tensor

from training.errors import MetricsError
from training.metrics import figures
from training.metrics.figures import Evaluation, Figures
from training.metrics.reference import Reference, Source

SOURCE = Source(extractor="efflite0", resize="bicubic", dataset="pets", dataset_sha256="ab" * 32)


def points(seed: int, n: int = 600, dim: int = 8) -> Tensor:
    """Two classes, side by side: even rows at 0, odd rows at 6."""
    made = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))
    made[1::2, 0] += 6
    return made


def labels(n: int = 600) -> Tensor:
    return torch.arange(n) % 2


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(SOURCE, points(0), labels())


@pytest.fixture(scope="module")
def fresh(reference: Reference) -> Evaluation:
    return figures.measure(reference, points(1), labels())


def test_fresh_draws_are_as_good_as_held_out_reals(fresh: Evaluation) -> None:
    found, floor = fresh.figures, fresh.floor
    # The tolerances are half as much again as the largest error over ten other seeds.
    assert max(found.fd, floor.fd) < 0.4
    assert min(found.fd, floor.fd) > 0.02  # a half is not compared with itself
    assert max(abs(found.kd), abs(floor.kd)) < 0.8
    for name in ("precision", "recall", "coverage", "yield_", "label_agreement"):
        assert getattr(found, name) == pytest.approx(getattr(floor, name), abs=0.1)
        assert getattr(found, name) > 0.8
    assert found.density == pytest.approx(1, abs=0.2)
    assert found.nearest_ratio == pytest.approx(1, abs=0.1)
    assert found.copies < 0.05


def test_copies_are_flagged(reference: Reference) -> None:
    copies = reference.features + 0.01 * points(2)[:, :1]
    found = figures.measure(reference, copies).figures
    assert found.copies == 1
    assert found.nearest_ratio < 0.05
    assert found.precision == 1  # which is why it is measured


def test_some_copies_among_fresh_draws_are_counted(reference: Reference) -> None:
    mixed = torch.cat([points(1, 480), reference.features[:120]])
    assert figures.measure(reference, mixed).figures.copies == pytest.approx(0.2, abs=0.03)


def test_a_shift_is_seen_by_both_distances(reference: Reference, fresh: Evaluation) -> None:
    found = figures.measure(reference, points(1) + 1).figures
    assert found.fd == pytest.approx(8, abs=1)  # eight dimensions, each shifted by 1
    assert found.kd > fresh.figures.kd + 1


def test_samples_that_are_broken_lower_the_yield(reference: Reference) -> None:
    fakes = points(1)
    fakes[:240] += 20
    # Of the others, 95% pass.
    assert figures.measure(reference, fakes).figures.yield_ == pytest.approx(0.6 * 0.95, abs=0.05)


def test_a_lost_class_costs_coverage_and_recall(reference: Reference, fresh: Evaluation) -> None:
    found = figures.measure(reference, points(1)[::2]).figures
    assert found.precision > 0.8
    assert found.coverage < 0.6 * fresh.figures.coverage
    assert found.recall < 0.6 * fresh.figures.recall


def test_swapped_labels_do_not_agree(reference: Reference) -> None:
    assert figures.measure(reference, points(1), 1 - labels()).figures.label_agreement == pytest.approx(0, abs=0.02)


def test_without_labels_none_can_agree(reference: Reference) -> None:
    found = figures.measure(reference, points(1))
    assert found.figures.label_agreement is None
    assert found.floor.label_agreement is None


def test_what_was_compared_is_said(fresh: Evaluation, reference: Reference) -> None:
    said = figures.measure(reference, points(1, 300)).provenance
    assert (said.reals, said.fakes, said.manifold, said.k) == (600, 300, 300, 5)
    assert (said.extractor, said.resize, said.dataset, said.dataset_sha256) == (
        "efflite0",
        "bicubic",
        "pets",
        "ab" * 32,
    )
    assert fresh.provenance.manifold == 600


def test_manifolds_are_limited(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_POINTS", 100)
    found = figures.measure(reference, points(1), labels())
    assert found.provenance.manifold == 100
    assert found.figures.coverage == pytest.approx(0.95, abs=0.1)


def test_every_figure_names_its_network(fresh: Evaluation) -> None:
    names = figures.name_figures(fresh.figures, "efflite0")
    assert set(names) == {
        f"{name}_efflite0"
        for name in (
            "fd",
            "kd",
            "precision",
            "recall",
            "density",
            "coverage",
            "yield",
            "nearest_ratio",
            "copies",
            "label_agreement",
        )
    }
    assert names["yield_efflite0"] == fresh.figures.yield_


def test_only_the_inception_network_measures_fid(fresh: Evaluation) -> None:
    found = Figures.model_validate(fresh.figures.model_dump() | {"label_agreement": None})
    names = figures.name_figures(found, "inception")
    assert list(names)[:3] == ["fid", "kid", "precision_inception"]
    assert "label_agreement_inception" not in names
    assert not {"fid", "kid"} & set(figures.name_figures(found, "efflite0"))


def test_a_probe_agrees_with_the_full_measure(reference: Reference, fresh: Evaluation) -> None:
    found = figures.measure_quickly(reference, points(1))
    assert found.fd == pytest.approx(fresh.figures.fd)
    assert (found.precision, found.coverage) == (fresh.figures.precision, fresh.figures.coverage)
    assert found.diversity == pytest.approx(1, abs=0.05)


def test_a_probe_sees_a_collapse(reference: Reference) -> None:
    found = figures.measure_quickly(reference, reference.features[:1] + 1e-3 * points(1)[::2])
    assert found.diversity < 0.01
    assert found.coverage < 0.05


def test_a_probe_looks_at_no_more_points_than_it_should(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "QUICK_POINTS", 100)
    first = figures.measure_quickly(reference, points(1))
    assert first == figures.measure_quickly(reference, points(1)[:100])


@pytest.mark.parametrize(("reals", "fakes"), [(23, 100), (100, 5)])
def test_too_few_points_are_refused(reals: int, fakes: int) -> None:
    few = Reference(SOURCE, points(0, reals), labels(reals))
    message = f"{reals} reals and {fakes} fakes are too few to measure; at least 24 and 6 are needed"
    for measured in (figures.measure, figures.measure_quickly):
        with pytest.raises(MetricsError, match=message):
            measured(few, points(1, fakes))


def test_the_fewest_points_are_enough() -> None:
    few = Reference(SOURCE, points(0, 24), labels(24))
    found = figures.measure(few, points(1, 6), labels(6))
    assert all(torch.tensor(list(figures.name_figures(found.figures, "efflite0").values())).isfinite())


def test_a_probe_bears_data_that_are_one_image() -> None:
    same = Reference(SOURCE, torch.ones(24, 8), labels(24))
    assert figures.measure_quickly(same, torch.ones(24, 8)).diversity == 0


def test_copies_of_training_images_are_flagged_against_held_out_ones(reference: Reference) -> None:
    training = Reference(SOURCE.model_copy(update={"dataset_sha256": "cd" * 32}), points(3), labels())
    copies = training.features + 0.01 * points(2)[:, :1]
    found = figures.measure(reference, copies, training=training)
    assert found.figures.copies == 1
    assert found.figures.nearest_ratio < 0.05
    # Copies of held-out images are no copies of training images.
    assert figures.measure(reference, reference.features.clone(), training=training).figures.copies < 0.05
    assert found.floor.nearest_ratio == pytest.approx(1, abs=0.1)
    assert found.floor.copies < 0.05
    assert found.provenance.training_sha256 == "cd" * 32


def test_a_report_against_training_images_is_described_as_before(fresh: Evaluation) -> None:
    assert "training_sha256" not in fresh.provenance.model_dump()
