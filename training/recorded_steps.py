"""Takes training steps. On a GPU, each kind of step is recorded once, as a CUDA graph, and then replayed.

A step launches some hundred small kernels. Launching them one by one takes several times as long as running them.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from training.networks import Networks
from training.schedule import ScheduledValues
from training.step import Batch, StepSettings, set_learning_rates, update
from training.step_inputs import StepInputs, StepKind, StepNumbers

_EAGER_STEPS = 3
"""Steps of a kind before its recording. They create the optimisers' moments and choose the kernels."""
STEPS_UNTIL_RECORDED = _EAGER_STEPS + 1
"""The recording happens in this step of a kind."""

log = logging.getLogger(__name__)

TakeStep = Callable[[], Tensor]
"""Takes a step. Returns its summary (6,), which the next step may overwrite."""


class Recorder(Protocol):
    """Records steps. Its only implementation in this package is `cuda_graphs.CudaRecorder`."""

    def run(self, step: TakeStep) -> Tensor:
        """Take a step in a way that allows a recording later."""
        ...

    def record(self, step: TakeStep) -> TakeStep:
        """Record a step without taking it. Raises RuntimeError when it cannot be recorded."""
        ...


class RecordedSteps:
    """Takes the steps of a run. Without a recorder, every step is launched kernel by kernel."""

    def __init__(self, networks: Networks, settings: StepSettings, recorder: Recorder | None) -> None:
        self._networks, self._settings, self._recorder = networks, settings, recorder
        self._steps: dict[StepKind, _SteadyStep] = {}

    def take(self, batches: Sequence[Batch], values: ScheduledValues, step: int, images_seen: int) -> Tensor:
        """Take a step, as `training.step.train_step` does. The next step may overwrite the result."""
        set_learning_rates(self._networks, self._settings.recipe, values)
        numbers = StepNumbers.compute(self._settings.recipe, values, step, images_seen)
        if self._recorder is None:
            return update(self._networks, self._settings, batches, StepInputs.create(numbers, self._settings.device))
        if numbers.kind not in self._steps:
            self._steps[numbers.kind] = _SteadyStep(self._networks, self._settings, batches, numbers)
        steady = self._steps[numbers.kind]
        steady.fill(batches, numbers)
        return self._take(steady, self._recorder)

    def forget(self) -> None:
        """Drop all recordings. They would go on to write into tensors that a restored state has replaced."""
        self._steps.clear()

    def _take(self, steady: "_SteadyStep", recorder: Recorder) -> Tensor:
        steady.taken += 1
        if steady.taken <= _EAGER_STEPS:
            return recorder.run(steady.take)
        if steady.replay is None:
            try:
                steady.replay = recorder.record(steady.take)
            except RuntimeError as error:
                log.warning("the training step was not recorded, and runs slower reason=%s", error)
                # The failed recording may have stopped where the discriminator was frozen.
                self._networks.discriminator.requires_grad_(True)
                self._recorder = None
                self.forget()
                return steady.take()
        return steady.replay()


class _SteadyStep:
    """A step of one kind. Its inputs stay at the same place in memory."""

    def __init__(
        self, networks: Networks, settings: StepSettings, batches: Sequence[Batch], numbers: StepNumbers
    ) -> None:
        self._networks, self._settings = networks, settings
        self._batches = [
            Batch(torch.empty_like(batch.real), None if batch.labels is None else torch.empty_like(batch.labels))
            for batch in batches
        ]
        self._inputs = StepInputs.create(numbers, settings.device)
        self.taken = 0
        self.replay: TakeStep | None = None
        """Takes the recorded step; None before the recording."""

    def fill(self, batches: Sequence[Batch], numbers: StepNumbers) -> None:
        """Copy the inputs of the next step to their place."""
        self._inputs.fill(numbers)
        for place, batch in zip(self._batches, batches, strict=True):
            place.real.copy_(batch.real)
            if place.labels is not None and batch.labels is not None:
                place.labels.copy_(batch.labels)

    def take(self) -> Tensor:
        """Take the step, kernel by kernel."""
        return update(self._networks, self._settings, self._batches, self._inputs)
