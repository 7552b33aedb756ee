"""How long a run trains, in steps or in seconds, and the share that is spent."""

import math
from dataclasses import dataclass

from training.recipe import BUDGETS, Recipe


@dataclass(frozen=True)
class Budget:
    """The length of a run. Exactly one of the two fields is set."""

    steps: int | None = None
    seconds: float | None = None

    def progress(self, step: int, seconds: float) -> float:
        """Return the share of the budget that is spent, in [0, 1]."""
        spent = step / self.steps if self.steps is not None else seconds / (self.seconds or 1)
        return min(1.0, spent)


def describe(recipe: Recipe) -> str:
    """Return a recipe's budget in words."""
    unit = next(unit for unit in BUDGETS if getattr(recipe, unit) is not None)
    return f"{getattr(recipe, unit):,} {unit}"


def of_recipe(recipe: Recipe, images: int, batch: int) -> Budget:
    """Convert a recipe's budget to steps of `batch` images. An epoch has `images` images."""
    if recipe.minutes is not None:
        return Budget(seconds=60 * recipe.minutes)
    wanted = recipe.images if recipe.images is not None else (recipe.epochs or 0) * images
    # 1e-6 absorbs rounding: 0.1 epochs of 80 images in batches of 8 is one step.
    return Budget(steps=max(1, math.ceil(wanted / batch - 1e-6)))
