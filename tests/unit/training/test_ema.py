import pytest
import torch

from models.registry import Architecture, build_generator
from training import ema


def test_the_half_life_is_counted_in_images() -> None:
    decay = ema.decay(batch=100, images_seen=10**9, half_life_images=1000)
    assert decay**10 == pytest.approx(0.5)


def test_early_on_the_half_life_is_a_twentieth_of_what_was_seen() -> None:
    assert ema.decay(100, 2000, 10**9) == pytest.approx(0.5)


def test_no_half_life_is_no_average() -> None:
    average, generator = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    ema.update(average, generator, ema.decay(8, 8, 0))
    assert torch.equal(average.weight, generator.weight)


def test_settled_statistics_are_those_of_the_averaged_weights() -> None:
    architecture = Architecture(name="dcgan", resolution=32, latent_dim=8, channels=2, classes=0)
    average = build_generator(architecture)
    z = torch.randn(256, 8)
    ema.settle(average, z)
    assert not average.training
    settled = average(z)
    average.train()
    # Both see the statistics of nearly the same activations, once averaged over two batches, once of the whole.
    torch.testing.assert_close(settled, average(z), atol=0.05, rtol=0)
