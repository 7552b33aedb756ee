"""One training step: update the discriminator, then the generator, then the average."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from training import ema, parallel, penalties
from training.augment import augment
from training.networks import Networks
from training.objectives import OBJECTIVES, bce_discriminator
from training.recipe import Recipe
from training.schedule import ScheduledValues
from training.step_inputs import StepInputs, StepNumbers

SUMMARY = ("loss_g", "loss_d", "real_score", "fake_score", "real_logit", "fake_logit")
"""Names of the values that a step returns. A score is the mean sigmoid of the logits."""


@dataclass(frozen=True)
class StepSettings:
    """Settings that are the same for all steps of a run."""

    recipe: Recipe
    device: torch.device
    dtype: torch.dtype
    """Precision of the networks' computation. Weights and penalties stay float32.

    On a GPU with TF32, convolutions of the penalties multiply in TF32. It keeps more digits than bfloat16.
    """


@dataclass(frozen=True)
class Batch:
    """The input of one discriminator step. Shapes: real (n, 3, h, w) in [-1, 1], labels (n,) or None."""

    real: Tensor
    labels: Tensor | None


def train_step(
    networks: Networks,
    settings: StepSettings,
    batches: Sequence[Batch],
    values: ScheduledValues,
    step: int,
    images_seen: int,
) -> Tensor:
    """Update the discriminator once per batch, then the generator and its average.

    `step` counts the earlier steps. `images_seen` includes this step's images, of all processes. Returns (6,), named by
    SUMMARY.
    """
    set_learning_rates(networks, settings.recipe, values)
    numbers = StepNumbers.compute(settings.recipe, values, step, images_seen)
    return update(networks, settings, batches, StepInputs.create(numbers, settings.device))


def update(networks: Networks, settings: StepSettings, batches: Sequence[Batch], inputs: StepInputs) -> Tensor:
    """Take a step with the learning rates that the optimisers have. It never waits for the device.

    Returns (6,), named by SUMMARY.
    """
    for batch in batches[:-1]:
        with torch.no_grad():
            fake = _fake(networks, settings, batch)
        _discriminator_step(networks, settings, batch, fake, inputs)
    # The last batch keeps the generator's graph, for the generator's own step.
    batch = batches[-1]
    fake = _fake(networks, settings, batch)
    loss_d, real_logits, fake_logits = _discriminator_step(networks, settings, batch, fake.detach(), inputs)
    loss_g = _generator_step(networks, settings, fake, batch.labels, real_logits, inputs)
    ema.update(networks.average, networks.generator, inputs.average_share)
    scores = real_logits.sigmoid().mean(), fake_logits.sigmoid().mean()
    return torch.stack([loss_g, loss_d, *scores, real_logits.mean(), fake_logits.mean()]).detach()


def set_learning_rates(networks: Networks, recipe: Recipe, values: ScheduledValues) -> None:
    """Set the scheduled learning rates of both optimisers, without waiting for the device."""
    _set_lr(networks.generator_optimiser, recipe.generator_lr * values.lr)
    _set_lr(networks.discriminator_optimiser, recipe.discriminator_lr * values.lr)


def _fake(networks: Networks, settings: StepSettings, batch: Batch) -> Tensor:
    z = networks.random.normal(len(batch.real), settings.recipe.latent_dim)
    with _autocast(settings):
        images: Tensor = networks.generator(z, batch.labels)
    return images.float()


def _discriminator_step(
    networks: Networks, settings: StepSettings, batch: Batch, fake: Tensor, inputs: StepInputs
) -> tuple[Tensor, Tensor, Tensor]:
    real_logits = _logits(networks, settings, batch.real, batch.labels, inputs)
    fake_logits = _logits(networks, settings, fake, batch.labels, inputs)
    loss = _discriminator_loss(networks, settings.recipe, real_logits, fake_logits)
    networks.discriminator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    penalty = _penalty(networks, settings.recipe, batch, fake, inputs)
    # A second backward pass adds to the gradients of the first.
    if penalty is not None:
        torch.autograd.backward(penalty)
    parallel.average_gradients(networks.discriminator)
    networks.discriminator_optimiser.step()
    if settings.recipe.clip:
        penalties.clip(networks.discriminator, settings.recipe.clip)
    return loss, real_logits.detach(), fake_logits.detach()


def _discriminator_loss(networks: Networks, recipe: Recipe, real: Tensor, fake: Tensor) -> Tensor:
    if recipe.label_flips:
        # Drawn per image; reals and fakes of a position swap places.
        flipped = networks.random.uniform(len(real)) < recipe.label_flips
        real, fake = torch.where(flipped, fake, real), torch.where(flipped, real, fake)
    if recipe.label_smoothing:
        return bce_discriminator(real, fake, recipe.label_smoothing)
    return OBJECTIVES[recipe.objective].discriminator(real, fake)


def _penalty(networks: Networks, recipe: Recipe, batch: Batch, fake: Tensor, inputs: StepInputs) -> Tensor | None:
    def logits_of(images: Tensor) -> Tensor:
        logits: Tensor = networks.discriminator(images.contiguous(memory_format=torch.channels_last), batch.labels)
        return logits

    if not recipe.gradient_penalty and inputs.penalty_weight is None:
        return None
    real, fake = (_augmented(images, inputs, networks) for images in (batch.real, fake))
    if inputs.penalty_weight is not None:
        r1, r2 = (penalties.zero_centred(logits_of, images) for images in (real, fake))
        return inputs.penalty_weight * (r1 + r2)
    share = networks.random.uniform(len(fake), 1, 1, 1)
    return recipe.gradient_penalty * penalties.one_centred(logits_of, real, fake, share)


def _generator_step(
    networks: Networks,
    settings: StepSettings,
    fake: Tensor,
    labels: Tensor | None,
    real_logits: Tensor,
    inputs: StepInputs,
) -> Tensor:
    # The real logits are those from before the discriminator's update: another pass would change only weights near 1.
    networks.discriminator.requires_grad_(False)
    fake_logits = _logits(networks, settings, fake, labels, inputs)
    loss = OBJECTIVES[settings.recipe.objective].generator(real_logits, fake_logits)
    networks.generator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    parallel.average_gradients(networks.generator)
    networks.generator_optimiser.step()
    networks.discriminator.requires_grad_(True)
    return loss


def _logits(
    networks: Networks, settings: StepSettings, images: Tensor, labels: Tensor | None, inputs: StepInputs
) -> Tensor:
    seen = _augmented(images, inputs, networks)
    if inputs.instance_noise is not None:
        seen = seen + inputs.instance_noise * networks.random.normal(*seen.shape)
    with _autocast(settings):
        logits: Tensor = networks.discriminator(seen.contiguous(memory_format=torch.channels_last), labels)
    return logits.float()


def _augmented(images: Tensor, inputs: StepInputs, networks: Networks) -> Tensor:
    return images if inputs.augment is None else augment(images, inputs.augment, networks.random)


def _set_lr(optimiser: Optimizer, lr: float) -> None:
    group = optimiser.param_groups[0]
    if isinstance(group["lr"], Tensor):
        # A recorded step reads the rate from the device.
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def _autocast(settings: StepSettings) -> torch.autocast:
    return torch.autocast(settings.device.type, settings.dtype, enabled=settings.dtype != torch.float32)
