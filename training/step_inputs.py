"""The scheduled numbers of one step, and the same numbers on the device, where a recorded step reads them."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor

from training import ema
from training.recipe import Recipe
from training.schedule import ScheduledValues


class StepKind(NamedTuple):
    """The optional parts of a step. Steps of the same kind launch the same kernels."""

    augments: bool
    adds_noise: bool
    has_penalty: bool


class StepNumbers(NamedTuple):
    """The numbers that change from step to step, besides the learning rates. 0 leaves a part of the step out."""

    augment: float
    instance_noise: float
    penalty_weight: float
    """Weight of R1 and R2 in this step."""
    average_share: float
    """Share of the new weights in the average."""

    @classmethod
    def compute(cls, recipe: Recipe, values: ScheduledValues, step: int, images_seen: int) -> Self:
        """Compute the numbers. `step` counts the earlier steps; `images_seen` includes this step's images."""
        decay = ema.decay(images_seen // (step + 1), images_seen, recipe.ema_half_life_images)
        # R1 and R2 are computed rarely with a larger weight, which costs less for the same effect.
        is_lazy = bool(step % recipe.penalty_every_steps)
        penalty_weight = 0.0 if is_lazy else values.gamma / 2 * recipe.penalty_every_steps
        return cls(values.augment, values.instance_noise, penalty_weight, 1 - decay)

    @property
    def kind(self) -> StepKind:
        """The parts of the step that its numbers turn on."""
        return StepKind(self.augment != 0, self.instance_noise != 0, self.penalty_weight != 0)


@dataclass(frozen=True)
class StepInputs:
    """The numbers of a step as tensors () on the device. A part that is left out is None."""

    augment: Tensor | None
    instance_noise: Tensor | None
    penalty_weight: Tensor | None
    average_share: Tensor

    @classmethod
    def create(cls, numbers: StepNumbers, device: torch.device) -> Self:
        """Put the numbers on the device."""

        def tensor(number: float) -> Tensor:
            return torch.full((), number, device=device)

        augment, noise, penalty = (tensor(number) if number else None for number in numbers[:3])
        return cls(augment, noise, penalty, tensor(numbers.average_share))

    def fill(self, numbers: StepNumbers) -> None:
        """Replace the numbers by those of another step of the same kind, without waiting for the device."""
        tensors = (self.augment, self.instance_noise, self.penalty_weight, self.average_share)
        for tensor, number in zip(tensors, numbers, strict=True):
            if tensor is not None:
                tensor.fill_(number)
