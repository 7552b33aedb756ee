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
from worker.style.portions import OnHalved, Portions

_BATCH_SIZES = {"cpu": (4, 2), "cuda": (16, 16)}
"""Samples of a step, and those that are judged at once by one thread."""
_STRENGTH_FACTOR = 0.75
"""Of the strength: a generator finds it easier to draw strokes than to keep what is under them."""
_SIMILARITY_WEIGHT = 2.0
"""Of how much more alike images are than they may be."""
_TARGET_DIFFERENCE = 0.82
"""How different images shall stay, as a share of how different plain ones are: as the standard mode leaves them."""
_FEATURE_DECAY = 0.98
"""Of the mean of their looks, from one step to the next."""
_PLAIN_SAMPLES = 32
"""Plain samples that tell how different images are."""
_INITIAL_LEARNING_RATE = 3e-3
_FINAL_LEARNING_RATE_SHARE = 0.15
"""Share of the learning rate that is left at the end of its cosine."""
_WARM_UP_STEPS = 20
_WEIGHT_DECAY_OF_AVERAGE = 0.985
"""Of the average of the weights, from one step to the next."""
_BETAS = (0.9, 0.99)
_MAX_TRIES = 3
_SEED = 0x57F1E
"""Of the samples: their indices are beyond those that jobs ask for, so that nobody is shown what was learnt from."""
_FIRST_INDEX = 1 << 52
_DIGEST_KEY = "sha256"
_PROGRESS_KEY, _MEAN_FEATURES_KEY, _MAX_SIMILARITY_KEY = "progress", "look", "most_alike"

Tensors = Mapping[str, Tensor]


class HasLastLayers(Protocol):
    """A generator whose last layers can be trained alone."""

    def last_layer_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the weights of the last layers."""


class Distillation:
    """The training of a copy of a model's generator. A resumed training gives the same weights to the bit."""

    def __init__(
        self,
        model: LoadedModel,
        transfer: StyleTransfer,
        strength: float,
        steps: int,
        executor: Executor,
        on_halved: OnHalved = lambda: None,
    ) -> None:
        self._model, self._transfer, self._strength, self._total_steps = model, transfer, strength, steps
        self._executor = executor
        self._batch_size, portion_size = _BATCH_SIZES[model.device.type]
        self._portions = Portions(portion_size, on_halved)
        self._original = model.load_original()
        self._mean_features: Tensor | None = None
        """Running mean of the samples' unit features; None before the first step."""
        self._max_similarity = 0.0
        """Largest similarity of a sample to the mean that is not penalised."""
        self.steps_done = self._failed_tries = 0
        self._restart()

    @property
    def progress(self) -> float:
        """Progress of the training, from 0 to 1."""
        return self.steps_done / self._total_steps

    def step(self) -> None:
        """Train on one batch. Raises DivergedError if the last try has diverged, too."""
        if self._mean_features is None:
            self._mean_features, self._max_similarity = self._measure_plain_samples()
        first = _FIRST_INDEX + self.steps_done * self._batch_size
        gradients_of_portions = self._portions.map(
            self._gradients, range(first, first + self._batch_size), self._executor.map
        )
        if not all(part.isfinite().all() for parts in gradients_of_portions for part in parts):
            self._restart_more_slowly()
            return
        # Sums in a fixed order: the result does not depend on which thread was first.
        *gradients, feature_sum = (
            torch.stack(parts).sum(0) / self._batch_size for parts in zip(*gradients_of_portions, strict=True)
        )
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self._optimiser.step()
        self._mean_features = self._mean_features.lerp(feature_sum, 1 - _FEATURE_DECAY)
        self.steps_done += 1
        decay = min(
            _WEIGHT_DECAY_OF_AVERAGE, 1 - 1 / self.steps_done
        )  # a plain mean at first, so that the initial weights do not count
        with torch.no_grad():
            for _, weight, average in self._trained_weights():
                average.lerp_(weight, 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """Return the tensors from which `resume` continues the training."""
        tensors = {_PROGRESS_KEY: torch.tensor([self.steps_done, self._failed_tries])}
        if self._mean_features is not None:
            tensors |= {
                _MEAN_FEATURES_KEY: self._mean_features,
                _MAX_SIMILARITY_KEY: torch.tensor(self._max_similarity),
            }
        for name, weight, average in self._trained_weights():
            tensors |= {f"weight.{name}": weight, f"average.{name}": average}
            tensors |= {f"{moment}.{name}": value for moment, value in self._optimiser.state[weight].items()}
        return tensors

    @torch.no_grad()
    def resume(self, tensors: Tensors) -> None:
        """Continue from a state. Raises LookupError or RuntimeError if it belongs to another model."""
        done, failed_tries = map(int, tensors[_PROGRESS_KEY])
        self._mean_features, self._max_similarity = (
            tensors[_MEAN_FEATURES_KEY].to(self._model.device),
            float(tensors[_MAX_SIMILARITY_KEY]),
        )
        for name, weight, average in self._trained_weights():
            weight.copy_(tensors[f"weight.{name}"])
            average.copy_(tensors[f"average.{name}"])
            moments = {kind: tensors[f"{kind}.{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")}
            self._optimiser.state[weight] = {
                kind: value if kind == "step" else value.to(weight.device) for kind, value in moments.items()
            }
        self.steps_done, self._failed_tries = done, failed_tries

    def _trained_weights(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield the names of the trained weights, with each weight and its average."""
        averages = dict(self.generator.named_parameters())
        for name, weight in self._trained.named_parameters():
            if weight.requires_grad:
                yield name, weight, averages[name]

    def _restart(self) -> None:
        self._trained = deepcopy(self._original)
        self.generator = deepcopy(self._original)
        """The result: a generator whose trained weights are averages over the last steps."""
        self._weights = [
            weight.requires_grad_() for weight in cast(HasLastLayers, self._trained).last_layer_parameters()
        ]
        self._optimiser = torch.optim.Adam(self._weights, betas=_BETAS)
        self._mean_features, self.steps_done = None, 0

    def _restart_more_slowly(self) -> None:
        self._failed_tries += 1
        if self._failed_tries == _MAX_TRIES:
            raise DivergedError(f"learning the style diverged (NaN or infinity) {_MAX_TRIES} times")
        self._restart()

    def _measure_plain_samples(self) -> tuple[Tensor, float]:
        """Return the mean unit features of plain samples, and the largest similarity without a penalty."""
        indices = range(_FIRST_INDEX - _PLAIN_SAMPLES, _FIRST_INDEX)
        portions = self._portions.map(
            lambda few: self._transfer.unit_features(self._plain_images(few)), indices, self._executor.map
        )
        unit_features = torch.cat(list(portions))
        # Mean similarity of two different samples: each sample's similarity to itself is 1, and does not count.
        similarity = ((unit_features @ unit_features.T).sum() - _PLAIN_SAMPLES) / (
            _PLAIN_SAMPLES * (_PLAIN_SAMPLES - 1)
        )
        return unit_features.mean(0), 1 - _TARGET_DIFFERENCE * (1 - float(similarity))

    def _gradients(self, indices: range) -> Sequence[Tensor]:
        """Return the gradients of the summed losses of some samples, and the sum of their unit features."""
        images = self._plain_images(indices)
        styled = _to_unit_range(self._trained(*self._latents(indices)))
        transfer_losses, unit_features = self._transfer.objective(images, styled, _STRENGTH_FACTOR * self._strength)
        similarity = losses.excess_similarity(unit_features, cast(Tensor, self._mean_features), self._max_similarity)
        loss = (transfer_losses + _SIMILARITY_WEIGHT * self._strength * similarity).sum()
        return *grad(loss, self._weights), unit_features.detach().sum(0)

    def _plain_images(self, indices: range) -> Tensor:
        with torch.no_grad():
            return _to_unit_range(self._original(*self._latents(indices)))

    def _latents(self, indices: range) -> tuple[Tensor, Tensor | None]:
        return self._model.latents(_SEED, indices).float(), self._model.label_tensor(self._model.labels(indices))

    def _learning_rate(self) -> float:
        cosine = (1 + math.cos(math.pi * self.progress)) / 2
        warm_up = min(1.0, (self.steps_done + 1) / _WARM_UP_STEPS)
        return (
            _INITIAL_LEARNING_RATE
            * 0.5**self._failed_tries
            * warm_up
            * (_FINAL_LEARNING_RATE_SHARE + (1 - _FINAL_LEARNING_RATE_SHARE) * cosine)
        )


def serialise(tensors: Tensors) -> bytes:
    """Serialise tensors as safetensors, with a digest."""
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save({**kept, _DIGEST_KEY: _digest(kept)})


def deserialise(data: bytes | None) -> dict[str, Tensor] | None:
    """Deserialise tensors; None if there are no data, or the digest does not match."""
    try:
        tensors = load(data or b"")
    except SafetensorError:
        return None
    digest = tensors.pop(_DIGEST_KEY, None)
    return tensors if digest is not None and torch.equal(digest, _digest(tensors)) else None


def with_weights(model: LoadedModel, tensors: Tensors) -> LoadedModel:
    """Return a copy of a model with other weights. Raises RuntimeError if they do not fit its generator."""
    generator = model.load_original()
    generator.load_state_dict(dict(tensors))
    return model.with_generator(generator)


def _digest(tensors: Tensors) -> Tensor:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8)


def _to_unit_range(images: Tensor) -> Tensor:
    """Map images from [-1, 1] to [0, 1]."""
    return (images + 1) / 2
