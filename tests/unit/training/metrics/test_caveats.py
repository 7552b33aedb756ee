import pytest
import torch

from training.metrics import caveats, figures
from training.metrics.figures import Evaluation
from training.metrics.reference import Reference, Source


def evaluated(reals: int, fakes: int, dim: int = 16) -> Evaluation:
    generator = torch.Generator().manual_seed(1)
    source = Source(extractor="noise", resize="none", dataset="noise", dataset_sha256="ab" * 32)
    features, labels = torch.randn(reals, dim, generator=generator), torch.full((reals,), -1)
    return figures.measure(Reference(source, features, labels), torch.randn(fakes, dim, generator=generator))


@pytest.mark.parametrize("fakes", [6, 12])
def test_fewer_samples_than_features_are_too_few(fakes: int) -> None:
    first = caveats.sentences(evaluated(100, fakes), "fd")[0]
    assert first.startswith(f"fd: {fakes} samples are too few, fewer than the 16 features; the distance is biased")


def test_a_bias_is_told_as_a_number() -> None:
    made = evaluated(2000, 100)
    assert made.fd_bias is not None
    assert (
        f"fd: with 100 samples it is biased upwards, here by about {made.fd_bias:.3g}"
        in caveats.sentences(made, "fd")[0]
    )


def test_more_samples_than_reals_are_compared_with_reals_at_the_reals_number() -> None:
    made = evaluated(100, 2000)
    assert made.fd_same_size > 2 * made.figures.fd
    assert made.fd_same_size == pytest.approx(made.floor.fd, rel=0.5)
    assert any("50 samples against those images have" in note for note in caveats.sentences(made, "fd"))


def test_the_reals_are_never_more_than_the_samples() -> None:
    few, many = evaluated(400, 20), evaluated(400, 200)
    assert few.floor.fd > 2 * many.floor.fd
    assert few.floor.fd == pytest.approx(few.fd_same_size, rel=0.5)


def test_few_points_make_manifolds_that_say_little() -> None:
    assert any("use 6 points of each kind" in note for note in caveats.sentences(evaluated(100, 6), "fd"))
    assert not any("points of each kind" in note for note in caveats.sentences(evaluated(2000, 1000), "fd"))
