"""The distilled mode of style transfer: a copy of the generator is trained to render styled images directly.

The copy is trained on its own samples, with the loss of the standard mode. The content target of a sample is the image
that the original generator makes from the same latent. Johnson et al. 2016 train a separate network for this. Training
the generator itself makes styled images as fast as plain ones.
The loss alone makes images too similar to each other, with the same strokes at the same places. So only the last layers
are trained, and a penalty grows with the similarity of a sample to the mean of all samples.
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
from worker.rendering.engine import LoadedModel
from worker.style import losses
from worker.style.gatys import StyleTransfer
from worker.style.portions import Halved, Portions

_BATCHES = {"cpu": (4, 2), "cuda": (16, 16)}
"""Samples of a step, and those that are judged at once by one thread."""
_RESTRAINT = 0.75
"""Of the strength: a generator finds it easier to draw strokes than to keep what is under them."""
_ALIKE_WEIGHT = 2.0
"""Of how much more alike images are than they may be."""
_DIFFERENCE = 0.82
"""How different images shall stay, as a share of how different plain ones are: as the standard mode leaves them."""
_MEMORY = 0.98
"""Of the mean of their looks, from one step to the next."""
_LOOKED_AT = 32
"""Plain samples that tell how different images are."""
_RATE = 3e-3
_LAST_RATE = 0.15
"""Share of the learning rate that is left at the end of its cosine."""
_RISING_STEPS = 20
_KEPT = 0.985
"""Of the average of the weights, from one step to the next."""
_BETAS = (0.9, 0.99)
_TRIES = 3
_SEED = 0x57F1E
"""Of the samples: their indices are beyond those that jobs ask for, so that nobody is shown what was learnt from."""
_FIRST = 1 << 52
_DIGEST = "sha256"
_PROGRESS, _LOOK, _MOST_ALIKE = "progress", "look", "most_alike"

Tensors = Mapping[str, Tensor]


class Finest(Protocol):
    """A generator whose last layers can be trained alone."""

    def finest(self) -> Iterator[nn.Parameter]:
        """Yield the weights of the last layers."""


class Distillation:
    """The training of a copy of a model's generator. A resumed training gives the same weights to the bit."""

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
        self._look: Tensor | None = None
        """Running mean of the samples' unit features; None before the first step."""
        self._most_alike = 0.0
        """Largest similarity of a sample to the mean that is not penalised."""
        self.steps_done = self._tries = 0
        self._restart()

    @property
    def share(self) -> float:
        """Progress of the training, from 0 to 1."""
        return self.steps_done / self._steps

    def step(self) -> None:
        """Train on one batch. Raises DivergedError if the last try has diverged, too."""
        if self._look is None:
            self._look, self._most_alike = self._looked()
        first = _FIRST + self.steps_done * self._batch
        found = self._portions.map(self._gradients, range(first, first + self._batch), self._threads.map)
        if not all(part.isfinite().all() for parts in found for part in parts):
            self._try_again()
            return
        # Sums in a fixed order: the result does not depend on which thread was first.
        *gradients, look = (torch.stack(parts).sum(0) / self._batch for parts in zip(*found, strict=True))
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate()
        self._optimiser.step()
        self._look = self._look.lerp(look, 1 - _MEMORY)
        self.steps_done += 1
        kept = min(_KEPT, 1 - 1 / self.steps_done)  # a plain mean at first, so that the initial weights do not count
        with torch.no_grad():
            for _, weight, average in self._learning():
                average.lerp_(weight, 1 - kept)

    def state(self) -> dict[str, Tensor]:
        """Return the tensors from which `resume` continues the training."""
        tensors = {_PROGRESS: torch.tensor([self.steps_done, self._tries])}
        if self._look is not None:
            tensors |= {_LOOK: self._look, _MOST_ALIKE: torch.tensor(self._most_alike)}
        for name, weight, average in self._learning():
            tensors |= {f"weight.{name}": weight, f"average.{name}": average}
            tensors |= {f"{moment}.{name}": value for moment, value in self._optimiser.state[weight].items()}
        return tensors

    @torch.no_grad()
    def resume(self, tensors: Tensors) -> None:
        """Continue from a state. Raises LookupError or RuntimeError if it belongs to another model."""
        done, tries = map(int, tensors[_PROGRESS])
        self._look, self._most_alike = tensors[_LOOK].to(self._model.device), float(tensors[_MOST_ALIKE])
        for name, weight, average in self._learning():
            weight.copy_(tensors[f"weight.{name}"])
            average.copy_(tensors[f"average.{name}"])
            moments = {kind: tensors[f"{kind}.{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")}
            self._optimiser.state[weight] = {
                kind: value if kind == "step" else value.to(weight.device) for kind, value in moments.items()
            }
        self.steps_done, self._tries = done, tries

    def _learning(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield the names of the trained weights, with each weight and its average."""
        averages = dict(self.generator.named_parameters())
        for name, weight in self._learner.named_parameters():
            if weight.requires_grad:
                yield name, weight, averages[name]

    def _restart(self) -> None:
        self._learner = deepcopy(self._original)
        self.generator = deepcopy(self._original)
        """The result: a generator whose trained weights are averages over the last steps."""
        self._weights = [weight.requires_grad_() for weight in cast(Finest, self._learner).finest()]
        self._optimiser = torch.optim.Adam(self._weights, betas=_BETAS)
        self._look, self.steps_done = None, 0

    def _try_again(self) -> None:
        self._tries += 1
        if self._tries == _TRIES:
            raise DivergedError(f"learning the style came to values that are no numbers, {_TRIES} times")
        self._restart()

    def _looked(self) -> tuple[Tensor, float]:
        """Return the mean unit features of plain samples, and the largest similarity without a penalty."""
        plain = range(_FIRST - _LOOKED_AT, _FIRST)
        found = self._portions.map(lambda few: self._transfer.looks(self._plain(few)), plain, self._threads.map)
        looks = torch.cat(list(found))
        # Mean similarity of two different samples: each sample's similarity to itself is 1, and does not count.
        alike = ((looks @ looks.T).sum() - _LOOKED_AT) / (_LOOKED_AT * (_LOOKED_AT - 1))
        return looks.mean(0), 1 - _DIFFERENCE * (1 - float(alike))

    def _gradients(self, indices: range) -> Sequence[Tensor]:
        """Return the gradients of the summed losses of some samples, and the sum of their unit features."""
        images = self._plain(indices)
        styled = _unit(self._learner(*self._latents(indices)))
        told, looks = self._transfer.objective(images, styled, _RESTRAINT * self._strength)
        alike = losses.alikeness(looks, cast(Tensor, self._look), self._most_alike)
        loss = (told + _ALIKE_WEIGHT * self._strength * alike).sum()
        return *grad(loss, self._weights), looks.detach().sum(0)

    def _plain(self, indices: range) -> Tensor:
        with torch.no_grad():
            return _unit(self._original(*self._latents(indices)))

    def _latents(self, indices: range) -> tuple[Tensor, Tensor | None]:
        return self._model.latents(_SEED, indices).float(), self._model.label_tensor(self._model.labels(indices))

    def _rate(self) -> float:
        cosine = (1 + math.cos(math.pi * self.share)) / 2
        rising = min(1.0, (self.steps_done + 1) / _RISING_STEPS)
        return _RATE * 0.5**self._tries * rising * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def sealed(tensors: Tensors) -> bytes:
    """Serialise tensors as safetensors, with a digest."""
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save({**kept, _DIGEST: _digest(kept)})


def opened(data: bytes | None) -> dict[str, Tensor] | None:
    """Deserialise tensors; None if there are no data, or the digest does not match."""
    try:
        tensors = load(data or b"")
    except SafetensorError:
        return None
    digest = tensors.pop(_DIGEST, None)
    return tensors if digest is not None and torch.equal(digest, _digest(tensors)) else None


def restyled(model: LoadedModel, tensors: Tensors) -> LoadedModel:
    """Return a copy of a model with other weights. Raises RuntimeError if they do not fit its generator."""
    generator = model.original()
    generator.load_state_dict(dict(tensors))
    return model.changed(generator)


def _digest(tensors: Tensors) -> Tensor:
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(f"{name} {tuple(tensors[name].shape)}".encode())
        found.update(tensors[name].contiguous().numpy().tobytes())
    return torch.frombuffer(bytearray(found.digest()), dtype=torch.uint8)


def _unit(images: Tensor) -> Tensor:
    """Map images from [-1, 1] to [0, 1]."""
    return (images + 1) / 2
