"""The distilled mode of style transfer: a copy of the generator is trained to render styled images directly.

The copy is trained on its own samples, with the loss of the standard mode. The content target of a sample is the image
that the original generator makes from the same latent. Johnson et al. 2016 train a separate network for this. Training
the generator itself makes styled images as fast as plain ones.
The loss alone makes images too similar to each other, with the same strokes at the same places. So only the last layers
are trained, and a penalty grows with the similarity of a sample to the mean of all samples.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.autograd import grad

from worker.errors import DivergedError
from worker.rendering.loaded_model import LoadedModel
from worker.style import losses
from worker.style.distillation_settings import DistillationSettings
from worker.style.gatys import StyleTransfer
from worker.style.portions import OnHalved, Portions
from worker.style.tensor_bytes import Tensors

# The values are older names. They stay, because the states of unfinished trainings in the store have them.
_PROGRESS_KEY, _MEAN_FEATURES_KEY, _MAX_SIMILARITY_KEY = "progress", "look", "most_alike"


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
        settings: DistillationSettings | None = None,
    ) -> None:
        self._model, self._transfer, self._strength, self._total_steps = model, transfer, strength, steps
        self._executor = executor
        self._settings = settings or DistillationSettings.for_device(model.device)
        self._portions = Portions(self._settings.portion_size, on_halved)
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
        batch_size = self._settings.batch_size
        first = self._settings.first_index + self.steps_done * batch_size
        portions = self._portions.map(self._gradients, range(first, first + batch_size), self._executor.map)
        if not all(part.isfinite().all() for parts in portions for part in parts):
            self._restart_more_slowly()
            return
        # Sums in the order of the portions: the result does not depend on which thread was first.
        *gradients, features = (torch.stack(parts).sum(0) / batch_size for parts in zip(*portions, strict=True))
        self._update_weights(gradients)
        self._mean_features = self._mean_features.lerp(features, 1 - self._settings.feature_decay)
        self.steps_done += 1
        self._update_averages()

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
        self._mean_features = tensors[_MEAN_FEATURES_KEY].to(self._model.device)
        self._max_similarity = float(tensors[_MAX_SIMILARITY_KEY])
        for name, weight, average in self._trained_weights():
            weight.copy_(tensors[f"weight.{name}"])
            average.copy_(tensors[f"average.{name}"])
            # Adam's state: the step counter stays on the CPU, the moments are on the device of the weight.
            moments = {kind: tensors[f"{kind}.{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")}
            self._optimiser.state[weight] = {
                kind: value if kind == "step" else value.to(weight.device) for kind, value in moments.items()
            }
        self.steps_done, self._failed_tries = done, failed_tries

    def _update_weights(self, gradients: Sequence[Tensor]) -> None:
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self._optimiser.step()

    @torch.no_grad()
    def _update_averages(self) -> None:
        # A plain mean of the first weights, so that the initial ones do not count; later a running mean.
        decay = min(self._settings.average_decay, 1 - 1 / self.steps_done)
        for _, weight, average in self._trained_weights():
            average.lerp_(weight, 1 - decay)

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
        self._optimiser = torch.optim.Adam(self._weights, betas=self._settings.betas)
        self._mean_features, self.steps_done = None, 0

    def _restart_more_slowly(self) -> None:
        self._failed_tries += 1
        if self._failed_tries == self._settings.max_tries:
            raise DivergedError(f"learning the style diverged (NaN or infinity) {self._failed_tries} times")
        self._restart()

    def _measure_plain_samples(self) -> tuple[Tensor, float]:
        """Return the mean unit features of plain samples, and the largest similarity without a penalty."""
        # Indices before those of the training, so that samples are measured which are never trained on.
        first, n = self._settings.first_index, self._settings.plain_samples
        portions = self._portions.map(self._plain_features, range(first - n, first), self._executor.map)
        features = torch.cat(list(portions))
        # Mean similarity of two different samples: each sample's similarity to itself is 1, and does not count.
        similarity = ((features @ features.T).sum() - n) / (n * (n - 1))
        return features.mean(0), 1 - self._settings.kept_difference * (1 - float(similarity))

    def _plain_features(self, indices: range) -> Tensor:
        return self._transfer.unit_features(self._plain_images(indices))

    def _gradients(self, indices: range) -> Sequence[Tensor]:
        """Return the gradients of the summed losses of some samples, and the sum of their unit features."""
        images = self._plain_images(indices)
        styled = _to_unit_range(self._trained(*self._latents(indices)))
        settings = self._settings
        transfer_losses, features = self._transfer.objective(images, styled, settings.strength_factor * self._strength)
        excess = losses.excess_similarity(features, cast(Tensor, self._mean_features), self._max_similarity)
        loss = (transfer_losses + settings.similarity_weight * self._strength * excess).sum()
        return *grad(loss, self._weights), features.detach().sum(0)

    def _plain_images(self, indices: range) -> Tensor:
        with torch.no_grad():
            return _to_unit_range(self._original(*self._latents(indices)))

    def _latents(self, indices: range) -> tuple[Tensor, Tensor | None]:
        z = self._model.latents(self._settings.seed, indices).float()
        return z, self._model.label_tensor(self._model.labels(indices))

    def _learning_rate(self) -> float:
        settings = self._settings
        cosine = (1 + math.cos(math.pi * self.progress)) / 2
        warm_up = min(1.0, (self.steps_done + 1) / settings.warm_up_steps)
        share = settings.final_learning_rate + (1 - settings.final_learning_rate) * cosine
        return settings.learning_rate * 0.5**self._failed_tries * warm_up * share


def with_weights(model: LoadedModel, tensors: Tensors) -> LoadedModel:
    """Return a copy of a model with other weights. Raises RuntimeError if they do not fit its generator."""
    generator = model.load_original()
    generator.load_state_dict(dict(tensors))
    return model.with_generator(generator)


def _to_unit_range(images: Tensor) -> Tensor:
    """Map images from [-1, 1] to [0, 1]."""
    return (images + 1) / 2
