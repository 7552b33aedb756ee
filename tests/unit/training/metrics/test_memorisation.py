import pytest
import torch
from torch import Tensor

from training.errors import MetricsError
from training.metrics import memorisation


def distances(nearest: Tensor) -> Tensor:
    """To the nearest other, and to one a little further off."""
    return torch.stack([nearest, nearest.clamp(min=1) + 1], dim=1)


def test_medians_are_compared() -> None:
    found = memorisation.measure(torch.tensor([1.0, 2.0, 9.0]), distances(torch.tensor([3.0, 4.0, 5.0])))
    assert found.nearest_ratio == 0.5


def test_what_is_nearer_than_all_but_one_in_a_hundred_reals_is_a_copy() -> None:
    held_out = torch.arange(10.0, 111.0)  # 10 to 110: their first percentile is 11
    found = memorisation.measure(torch.tensor([0.0, 10.9, 11.1, 50.0]), distances(held_out))
    assert found.copies == 2 / 4


@pytest.mark.parametrize("twice", [3, 70])
def test_a_real_that_exists_twice_is_held_out_together_with_its_double(twice: int) -> None:
    held_out = torch.stack([torch.arange(10.0, 111.0), torch.arange(110.0, 211.0)], dim=1)
    doubled = torch.cat([torch.zeros(101, 1), held_out[:, :1]], dim=1)[:twice]
    mixed = torch.cat([doubled, held_out[twice:]])
    samples = torch.tensor([0.5, 60.0, 70.0])
    assert memorisation.measure(samples, mixed) == memorisation.measure(samples, held_out)


def test_reals_that_are_all_alike_are_refused() -> None:
    with pytest.raises(MetricsError, match="all real images are the same"):
        memorisation.measure(torch.ones(3), torch.zeros(4, 2))
