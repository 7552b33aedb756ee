import pytest
import torch

from training.metrics import frechet, uncertainty


@pytest.mark.parametrize(
    ("value", "n", "low", "high"), [(1.0, 6, 0.61, 1.0), (0.0, 6, 0.0, 0.39), (0.5, 10_000, 0.490, 0.510)]
)
def test_the_interval_of_a_share_is_wide_for_few_and_narrow_for_many(
    value: float, n: int, low: float, high: float
) -> None:
    assert uncertainty.share(value, n) == pytest.approx((low, high), abs=0.005)


def drawn(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def test_the_bias_of_a_distance_of_few_samples_is_found() -> None:
    reals = frechet.gaussian(drawn(100_000, 0))
    distances, biases = [], []
    for seed in range(1, 21):
        fakes = drawn(100, seed)
        distances.append(frechet.distance(reals, frechet.gaussian(fakes)))
        found = uncertainty.spread(distances[-1], reals, fakes)
        assert found is not None
        biases.append(found.bias)
    bias = sum(distances) / len(distances)  # of two equal distributions, all of the distance is bias
    assert sum(biases) / len(biases) == pytest.approx(bias, rel=0.25)


def test_the_interval_of_a_distance_holds_what_other_samples_give() -> None:
    reals = frechet.gaussian(drawn(100_000, 0) + 0.5)
    distances, held = [frechet.distance(reals, frechet.gaussian(drawn(200, seed))) for seed in range(1, 21)], 0
    for seed, distance in enumerate(distances, start=1):
        found = uncertainty.spread(distance, reals, drawn(200, seed))
        assert found is not None
        low, high = found.interval
        held += low <= sum(distances) / len(distances) <= high
    assert held >= 15


def test_too_few_samples_have_no_interval() -> None:
    assert uncertainty.spread(1.0, frechet.gaussian(drawn(100, 0)), drawn(9, 1)) is None
