import pytest
import torch
from torch import Tensor

from training.errors import MetricsError
from training.metrics import memorisation


def distances(nearest: Tensor) -> Tensor:
    """To the nearest other, and to one a little further off."""
    return torch.stack([nearest, nearest.clamp(min=1) + 1], dim=1)


def test_the_typical_distance_is_the_median() -> None:
    assert memorisation.summarise(distances(torch.tensor([3.0, 4.0, 9.0]))).typical == 4


def test_one_in_a_hundred_reals_is_nearer_than_the_closest_distance() -> None:
    held_out = torch.arange(10.0, 111.0)  # 10 to 110: their first percentile is 11
    assert memorisation.summarise(distances(held_out)).closest == 11


@pytest.mark.parametrize("twice", [3, 70])
def test_a_real_that_exists_twice_is_held_out_together_with_its_double(twice: int) -> None:
    held_out = torch.stack([torch.arange(10.0, 111.0), torch.arange(110.0, 211.0)], dim=1)
    doubled = torch.cat([torch.zeros(101, 1), held_out[:, :1]], dim=1)[:twice]
    mixed = torch.cat([doubled, held_out[twice:]])
    assert memorisation.summarise(mixed) == memorisation.summarise(held_out)


def test_reals_that_are_all_alike_are_refused() -> None:
    with pytest.raises(MetricsError, match="all real images are the same"):
        memorisation.summarise(torch.zeros(4, 2))
