"""The running average of a generator's weights. It makes better images than the weights of any single step."""

import copy

import torch
from torch import Tensor, nn


def start_average(generator: nn.Module) -> nn.Module:
    """Create an average: a frozen copy of the generator."""
    return copy.deepcopy(generator).requires_grad_(False)


@torch.no_grad()
def update(average: nn.Module, generator: nn.Module, share: float | Tensor) -> None:
    """Move the average towards the generator's weights by a share, which is 1 - decay. Shapes: share ()."""
    for mean, value in zip(average.parameters(), generator.parameters(), strict=True):
        mean.lerp_(value, share)


def decay(batch: int, images_seen: int, half_life_images: float) -> float:
    """Return the decay per step. The half-life, in images, never exceeds 5% of the images seen."""
    # Without the limit, an early average would still hold random initial weights.
    half_life = min(half_life_images, 0.05 * images_seen)
    return float(0.5 ** (batch / max(half_life, 1e-8)))
