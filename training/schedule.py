"""Scheduled values of a recipe: pure functions of the spent share of the budget."""

import math
from dataclasses import dataclass

from training.recipe import Recipe


@dataclass(frozen=True)
class ScheduledValues:
    """The scheduled values at one moment."""

    lr: float
    """Factor of the recipe's learning rates."""
    gamma: float
    augment: float
    instance_noise: float


def values_at(recipe: Recipe, progress: float) -> ScheduledValues:
    """Return the values at a progress in [0, 1]."""
    return ScheduledValues(
        lr=recipe.final_lr + (1 - recipe.final_lr) * (1 + math.cos(math.pi * progress)) / 2,
        # Gamma moves during the first half of the budget, and then stays.
        gamma=_geometric(recipe.gamma, recipe.final_gamma, min(1, 2 * progress)),
        augment=recipe.augment * (min(1, progress / recipe.augment_ramp) if recipe.augment_ramp else 1),
        instance_noise=recipe.instance_noise * (1 - progress),
    )


def _geometric(first: float, last: float, progress: float) -> float:
    return float(first * (last / first) ** progress) if first and last else first
