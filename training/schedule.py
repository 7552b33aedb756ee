"""How a recipe's values change over a run: pure functions of the share of the budget that is spent."""

import math
from dataclasses import dataclass

from training.recipe import Recipe


@dataclass(frozen=True)
class ScheduledValues:
    """A recipe's changing values at one moment."""

    lr: float
    """Share of the recipe's learning rates."""
    gamma: float
    augment: float
    instance_noise: float


def values_at(recipe: Recipe, progress: float) -> ScheduledValues:
    """Tell the values at a progress in [0, 1]."""
    return ScheduledValues(
        lr=recipe.final_lr + (1 - recipe.final_lr) * (1 + math.cos(math.pi * progress)) / 2,
        gamma=_geometric(recipe.gamma, recipe.final_gamma, min(1, 2 * progress)),
        augment=recipe.augment * (min(1, progress / recipe.augment_ramp) if recipe.augment_ramp else 1),
        instance_noise=recipe.instance_noise * (1 - progress),
    )


def _geometric(first: float, last: float, progress: float) -> float:
    return float(first * (last / first) ** progress) if first and last else first
