"""The distilled mode: a copy of the generator learns a style once, then makes styled images at its own speed.

It learns from its own samples, by the loss that the standard mode minimises: the content of each is the image that
the original makes of the same latent. Johnson et al. 2016 put a network behind the images for that; a generator of one
narrow domain can do without, so its styled images cost no more than plain ones. Only its last layers learn: with the
first ones, every image gets the same strokes at the same places.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from typing import Protocol, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.autograd import grad

from worker.errors import DivergedError
from worker.runtime import LoadedModel
from worker.style.memory import Halved, Portions
from worker.style.standard import StyleTransfer

_BATCHES = {"cpu": (4, 1), "cuda": (16, 16)}
"""Samples of a step, and those that are judged at once by one thread."""
_RESTRAINT = 0.75
"""Of the strength: a generator finds it easier to draw strokes than to keep what is under them."""
_RATE = 3e-3
_LAST_RATE = 0.02
"""Share of the learning rate that is left at the end of its cosine."""
_RISING_STEPS = 20
_BETAS = (0.9, 0.99)
_TRIES = 3
_SEED = 0x57F1E
"""Of the samples: their indices are beyond those that jobs ask for, so that nobody is shown what was learnt from."""
_FIRST = 1 << 52
_DIGEST = "sha256"
_PROGRESS = "progress"

Tensors = Mapping[str, Tensor]


class Finest(Protocol):
    """A generator that knows its last layers."""

    def finest(self) -> Iterator[nn.Parameter]:
        """Yield their weights."""


class Student:
    """A copy of a model's generator that learns a style, step by step. It goes on from a kept state exactly."""

    def __init__(
        self,
        model: LoadedModel,
        transfer: StyleTransfer,
        strength: float,
        steps: int,
        threads: Executor,
        halved: Halved = lambda: None,
    ) -> None:
        self._model, self._transfer, self._strength, self._steps = model, transfer, strength, steps
        self._threads = threads
        self._batch, portion = _BATCHES[model.device.type]
        self._portions = Portions(portion, halved)
        self._original = model.original()
        self._tries = 0
        self._restart()

    @property
    def share(self) -> float:
        """How much of the learning is done, from 0 to 1."""
        return self.steps_done / self._steps

    def step(self) -> None:
        """Learn from one batch. Raises DivergedError when the third try came to values that are no numbers, too."""
        first = _FIRST + self.steps_done * self._batch
        found = self._portions.map(self._gradients, range(first, first + self._batch), self._threads.map)
        if not all(part.isfinite().all() for gradients in found for part in gradients):
            self._try_again()
            return
        for weight, *parts in zip(self._weights, *found, strict=True):
            weight.grad = torch.stack(parts).sum(0) / self._batch
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate()
        self._optimiser.step()
        self.steps_done += 1

    def state(self) -> dict[str, Tensor]:
        """Give all that is needed to go on."""
        tensors = {f"weight.{name}": value for name, value in self.generator.state_dict().items()}
        for name, weight in self._learning():
            for moment, value in self._optimiser.state[weight].items():
                tensors[f"{moment}.{name}"] = value
        return tensors | {_PROGRESS: torch.tensor([self.steps_done, self._tries])}

    def resume(self, tensors: Tensors) -> None:
        """Go on from a state. Raises LookupError or RuntimeError when it is another model's."""
        done, tries = map(int, tensors[_PROGRESS])
        self.generator.load_state_dict(_below("weight", tensors))
        for name, weight in self._learning():
            moments = {kind: tensors[f"{kind}.{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")}
            self._optimiser.state[weight] = {
                kind: value if kind == "step" else value.to(weight.device) for kind, value in moments.items()
            }
        self.steps_done, self._tries = done, tries

    def _learning(self) -> Iterator[tuple[str, Tensor]]:
        return ((name, weight) for name, weight in self.generator.named_parameters() if weight.requires_grad)

    def _restart(self) -> None:
        self.generator = deepcopy(self._original)
        """What has learnt so far."""
        self._weights = [weight.requires_grad_() for weight in cast(Finest, self.generator).finest()]
        self._optimiser = torch.optim.Adam(self._weights, betas=_BETAS)
        self.steps_done = 0

    def _try_again(self) -> None:
        self._tries += 1
        if self._tries == _TRIES:
            raise DivergedError(f"learning the style came to values that are no numbers, {_TRIES} times")
        self._restart()

    def _gradients(self, indices: range) -> Sequence[Tensor]:
        z = self._model.latents(_SEED, indices).float()
        labels = self._model.label_tensor(self._model.labels(indices))
        with torch.no_grad():
            images = _unit(self._original(z, labels))
        loss = self._transfer.objective(images, _unit(self.generator(z, labels)), _RESTRAINT * self._strength).sum()
        return grad(loss, self._weights)

    def _rate(self) -> float:
        cosine = (1 + math.cos(math.pi * self.share)) / 2
        rising = min(1.0, (self.steps_done + 1) / _RISING_STEPS)
        return _RATE * 0.5**self._tries * rising * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def sealed(tensors: Tensors) -> bytes:
    """Pack tensors, with a checksum, as safetensors."""
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save({**kept, _DIGEST: _digest(kept)})


def opened(data: bytes | None) -> dict[str, Tensor] | None:
    """Read what was packed; None when there is nothing, or not what was packed."""
    try:
        tensors = load(data or b"")
    except SafetensorError:
        return None
    digest = tensors.pop(_DIGEST, None)
    return tensors if digest is not None and torch.equal(digest, _digest(tensors)) else None


def restyled(model: LoadedModel, tensors: Tensors) -> LoadedModel:
    """Make a model of a generator that has learnt. Raises RuntimeError when the weights are another model's."""
    generator = model.original()
    generator.load_state_dict(dict(tensors))
    return model.changed(generator)


def _digest(tensors: Tensors) -> Tensor:
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(f"{name} {tuple(tensors[name].shape)}".encode())
        found.update(tensors[name].contiguous().numpy().tobytes())
    return torch.frombuffer(bytearray(found.digest()), dtype=torch.uint8)


def _below(prefix: str, tensors: Tensors) -> dict[str, Tensor]:
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def _unit(images: Tensor) -> Tensor:
    """Move images from [-1, 1] to [0, 1]."""
    return (images + 1) / 2
