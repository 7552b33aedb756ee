"""Takes training steps. On a GPU, steps are recorded and replayed.

A step launches hundreds of small kernels, and the launches take longer than the kernels.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from models.cuda_graph import RecordedWork
from training.networks import Networks
from training.schedule import ScheduledValues
from training.step import Batch, StepSettings, StepValues, set_learning_rates, train_step, values_of


class _Kind(NamedTuple):
    """The parts of a step that its values switch on. Each kind needs a recording of its own."""

    is_penalised: bool
    augments: bool
    adds_noise: bool


class StepRunner:
    """Takes the steps of a run.

    `is_recorded` chooses recording: by default on a GPU, for a run of one process. Gradients of several processes are
    averaged by messages, which are not recorded.
    """

    def __init__(self, networks: Networks, settings: StepSettings, *, is_recorded: bool | None = None) -> None:
        self._networks, self._settings = networks, settings
        is_alone = networks.random.world_size == 1
        self._is_recorded = settings.device.type == "cuda" and is_alone if is_recorded is None else is_recorded
        self._inputs: _Inputs | None = None
        self._recordings: dict[_Kind, RecordedWork] = {}

    def take_step(self, batches: Sequence[Batch], values: ScheduledValues, step: int, images_seen: int) -> Tensor:
        """Take one step. Returns (6,), named by SUMMARY; the next step may overwrite it.

        `step` counts the earlier steps. `images_seen` includes this step's images, of all processes.
        """
        recipe = self._settings.recipe
        set_learning_rates(self._networks, recipe, values.lr)
        now = values_of(recipe, values, step, images_seen)
        if not self._is_recorded:
            return train_step(self._networks, self._settings, batches, now)
        if self._inputs is None:
            self._inputs = _Inputs(batches, self._settings.device)
        self._inputs.set(batches, now)
        return self._take_recorded(self._inputs, _Kind(now.is_penalised, bool(now.augment), bool(now.instance_noise)))

    def forget(self) -> None:
        """Forget the recordings. They write to the tensors of the optimisers, which a restored state replaces."""
        self._recordings.clear()

    def _take_recorded(self, inputs: "_Inputs", kind: _Kind) -> Tensor:
        work = partial(self._compute, inputs, kind)
        if self._settings.device.type != "cuda":
            return work()
        if kind not in self._recordings:
            self._recordings[kind] = RecordedWork(work, self._networks.random.generator)
        return self._recordings[kind]()

    def _compute(self, inputs: "_Inputs", kind: _Kind) -> Tensor:
        return train_step(self._networks, self._settings, inputs.batches, inputs.values(kind))


class _Inputs:
    """The tensors that a recorded step reads."""

    def __init__(self, batches: Sequence[Batch], device: torch.device) -> None:
        self.batches = [
            Batch(torch.empty_like(each.real), None if each.labels is None else torch.empty_like(each.labels))
            for each in batches
        ]
        self._gamma, self._augment, self._noise, self._share = torch.zeros(4, device=device).unbind()

    def set(self, batches: Sequence[Batch], now: StepValues) -> None:
        """Copy the input of a step."""
        for buffer, batch in zip(self.batches, batches, strict=True):
            buffer.real.copy_(batch.real)
            if buffer.labels is not None and batch.labels is not None:
                buffer.labels.copy_(batch.labels)
        for tensor, value in (
            (self._gamma, now.gamma),
            (self._augment, now.augment),
            (self._noise, now.instance_noise),
            (self._share, now.average_share),
        ):
            tensor.fill_(value)

    def values(self, kind: _Kind) -> StepValues:
        """Return the values of a step of a kind, as tensors. Those that the kind does not use are 0."""
        return StepValues(
            gamma=self._gamma,
            augment=self._augment if kind.augments else 0.0,
            instance_noise=self._noise if kind.adds_noise else 0.0,
            average_share=self._share,
            is_penalised=kind.is_penalised,
        )
