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
from worker.style.whole_step import WholeStep

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
        self._whole_step: WholeStep | None = None
        self._restart()

    @property
    def progress(self) -> float:
        """Progress of the training, from 0 to 1."""
        return self.steps_done / self._total_steps

    def step(self) -> None:
        """Train on one batch; on a GPU on several, because a look at the numbers waits for the device.

        Raises DivergedError if the last try has diverged, too.
        """
        if self._mean_features is None:
            self._mean_features, self._max_similarity = self._measure_plain_samples()
        size = self._settings.batch_size
        first = self._settings.first_index + self.steps_done * size
        steps = min(self._settings.steps_per_check, self._total_steps - self.steps_done)
        indices = range(first, first + steps * size)
        is_whole = self._settings.portion_size == size
        for _ in self._train_on_whole_batches(indices) if is_whole else self._train_in_portions(indices):
            self.steps_done += 1
            self._update_averages()
        # A gradient that is NaN or infinite makes its weight NaN for good.
        if not torch.stack([each.isfinite().all() for each in (*self._weights, self._mean_features)]).all():
            self._restart_more_slowly()

    def forget_recording(self) -> None:
        """Free the memory of the recorded step. The next step starts another recording."""
        self._whole_step = None

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
            moments = {kind: tensors[f"{kind}.{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")}
            # A recorded step needs all of Adam's state on the device, with its counter of steps.
            self._optimiser.state[weight] = {kind: value.to(weight.device) for kind, value in moments.items()}
        self.steps_done, self._failed_tries = done, failed_tries
        self.forget_recording()  # it writes to the tensors that were replaced

    def _train_in_portions(self, indices: range) -> Iterator[None]:
        """Train on some samples. Yields after each step."""
        size = self._settings.batch_size
        for k in range(0, len(indices), size):
            self._set_learning_rate()
            portions = self._portions.map(self._gradients_of, indices[k : k + size], self._executor.map)
            # Sums in the order of the portions: the result does not depend on which thread was first.
            self._update_weights([torch.stack(parts).sum(0) for parts in zip(*portions, strict=True)])
            yield

    def _train_on_whole_batches(self, indices: range) -> Iterator[None]:
        """Train on some samples without portions; on a GPU by a recording. Yields after each step."""
        latents, labels = self._latents(indices)
        size = self._settings.batch_size
        for k in range(0, len(indices), size):
            self._set_learning_rate()
            if self._whole_step is None:
                self._whole_step = WholeStep(self._gradients, self._update_weights)
            self._whole_step(latents[k : k + size], None if labels is None else labels[k : k + size])
            yield

    def _update_weights(self, sums: Sequence[Tensor]) -> Tensor:
        """Take a step of Adam, from sums over a batch. Returns the new mean of the unit features."""
        *gradients, features = (total / self._settings.batch_size for total in sums)
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        self._optimiser.step()
        return cast(Tensor, self._mean_features).lerp_(features, 1 - self._settings.feature_decay)

    def _set_learning_rate(self) -> None:
        for group in self._optimiser.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(self._learning_rate())
            else:
                group["lr"] = self._learning_rate()

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
        is_gpu = self._model.device.type == "cuda"
        lr = torch.zeros((), device=self._model.device) if is_gpu else 0.0
        self._optimiser = torch.optim.Adam(self._weights, lr, betas=self._settings.betas, capturable=is_gpu)
        self.forget_recording()
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
        return self._transfer.unit_features(self._plain_images(*self._latents(indices)))

    def _gradients_of(self, indices: range) -> Sequence[Tensor]:
        return self._gradients(*self._latents(indices))

    def _gradients(self, z: Tensor, labels: Tensor | None) -> Sequence[Tensor]:
        """Return the gradients of the summed losses of some samples, and the sum of their unit features."""
        images = self._plain_images(z, labels)
        styled = _to_unit_range(self._trained(z, labels))
        settings = self._settings
        transfer_losses, features = self._transfer.objective(images, styled, settings.strength_factor * self._strength)
        excess = losses.excess_similarity(features, cast(Tensor, self._mean_features), self._max_similarity)
        loss = (transfer_losses + settings.similarity_weight * self._strength * excess).sum()
        return *grad(loss, self._weights), features.detach().sum(0)

    def _plain_images(self, z: Tensor, labels: Tensor | None) -> Tensor:
        with torch.no_grad():
            return _to_unit_range(self._original(z, labels))

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
