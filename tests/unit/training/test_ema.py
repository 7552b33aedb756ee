import pytest
import torch

from training import ema


def test_the_half_life_is_counted_in_images() -> None:
    decay = ema.decay(batch=100, images_seen=10**9, half_life_images=1000)
    assert decay**10 == pytest.approx(0.5)


def test_early_on_the_half_life_is_a_twentieth_of_what_was_seen() -> None:
    assert ema.decay(100, 2000, 10**9) == pytest.approx(0.5)


def test_no_half_life_is_no_average() -> None:
    average, generator = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    ema.update(average, generator, 1 - ema.decay(8, 8, 0))
    assert torch.equal(average.weight, generator.weight)
