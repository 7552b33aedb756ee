"""One training step: update the discriminator, then the generator, then the average."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training import ema, parallel, penalties
from training.augment import augment
from training.networks import Networks
from training.objectives import OBJECTIVES, bce_discriminator
from training.recipe import Recipe
from training.schedule import ScheduledValues

SUMMARY = ("loss_g", "loss_d", "real_score", "fake_score", "real_logit", "fake_logit")
"""Names of the values that a step returns. A score is the mean sigmoid of the logits."""


@dataclass(frozen=True)
class StepSettings:
    """Settings that are the same for all steps of a run."""

    recipe: Recipe
    device: torch.device
    dtype: torch.dtype
    """Precision of the networks' computation. Weights and penalties stay float32.

    On a GPU with TF32, convolutions of the penalties multiply in TF32, which keeps more digits than bfloat16.
    """


@dataclass(frozen=True)
class Batch:
    """The input of one discriminator step. Shapes: real (n, 3, h, w) in [-1, 1], labels (n,) or None."""

    real: Tensor
    labels: Tensor | None


@dataclass(frozen=True)
class StepValues:
    """Values of one step. On a GPU they are tensors (), because a recorded step reads them again at each replay."""

    gamma: float | Tensor
    augment: float | Tensor
    instance_noise: float | Tensor
    average_share: float | Tensor
    """Share by which the average moves towards the generator."""
    is_penalised: bool
    """Whether R1 and R2 are computed in this step."""


def values_of(recipe: Recipe, values: ScheduledValues, step: int, images_seen: int) -> StepValues:
    """Return the values of a step.

    `step` counts the earlier steps. `images_seen` includes this step's images, of all processes.
    """
    decay = ema.decay(images_seen // (step + 1), images_seen, recipe.ema_half_life_images)
    return StepValues(
        gamma=values.gamma,
        augment=values.augment,
        instance_noise=values.instance_noise,
        average_share=1 - decay,
        # R1 and R2 are computed rarely with a larger weight, which costs less for the same effect.
        is_penalised=bool(values.gamma) and step % recipe.penalty_every_steps == 0,
    )


def set_learning_rates(networks: Networks, recipe: Recipe, factor: float) -> None:
    """Set the learning rates of a step: those of the recipe times a factor."""
    for optimiser, rate in (
        (networks.generator_optimiser, recipe.generator_lr),
        (networks.discriminator_optimiser, recipe.discriminator_lr),
    ):
        group = optimiser.param_groups[0]
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate * factor)
        else:
            group["lr"] = rate * factor


def train_step(networks: Networks, settings: StepSettings, batches: Sequence[Batch], values: StepValues) -> Tensor:
    """Update the discriminator once per batch, then the generator and its average. Returns (6,), named by SUMMARY."""
    for batch in batches[:-1]:
        with torch.no_grad():
            fake = _fake(networks, settings, batch)
        _discriminator_step(networks, settings, batch, fake, values)
    # The last batch keeps the generator's graph, for the generator's own step.
    batch = batches[-1]
    fake = _fake(networks, settings, batch)
    loss_d, real_logits, fake_logits = _discriminator_step(networks, settings, batch, fake.detach(), values)
    loss_g = _generator_step(networks, settings, fake, batch.labels, real_logits, values)
    ema.update(networks.average, networks.generator, values.average_share)
    scores = real_logits.sigmoid().mean(), fake_logits.sigmoid().mean()
    return torch.stack([loss_g, loss_d, *scores, real_logits.mean(), fake_logits.mean()]).detach()


def _fake(networks: Networks, settings: StepSettings, batch: Batch) -> Tensor:
    z = networks.random.normal(len(batch.real), settings.recipe.latent_dim)
    with _autocast(settings):
        images: Tensor = networks.generator(z, batch.labels)
    return images.float()


def _discriminator_step(
    networks: Networks, settings: StepSettings, batch: Batch, fake: Tensor, values: StepValues
) -> tuple[Tensor, Tensor, Tensor]:
    real_logits = _logits(networks, settings, batch.real, batch.labels, values)
    fake_logits = _logits(networks, settings, fake, batch.labels, values)
    loss = _discriminator_loss(networks, settings.recipe, real_logits, fake_logits)
    networks.discriminator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    penalty = _penalty(networks, settings.recipe, batch, fake, values)
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


def _penalty(networks: Networks, recipe: Recipe, batch: Batch, fake: Tensor, values: StepValues) -> Tensor | None:
    def logits_of(images: Tensor) -> Tensor:
        logits: Tensor = networks.discriminator(images.contiguous(memory_format=torch.channels_last), batch.labels)
        return logits

    if not recipe.gradient_penalty and not values.is_penalised:
        return None
    real, fake = (augment(images, values.augment, networks.random) for images in (batch.real, fake))
    if recipe.gradient_penalty:
        share = networks.random.uniform(len(fake), 1, 1, 1)
        return recipe.gradient_penalty * penalties.one_centred(logits_of, real, fake, share)
    r1, r2 = (penalties.zero_centred(logits_of, images) for images in (real, fake))
    return values.gamma / 2 * recipe.penalty_every_steps * (r1 + r2)


def _generator_step(
    networks: Networks,
    settings: StepSettings,
    fake: Tensor,
    labels: Tensor | None,
    real_logits: Tensor,
    values: StepValues,
) -> Tensor:
    # The real logits are those from before the discriminator's update: another pass would change only weights near 1.
    networks.discriminator.requires_grad_(False)
    try:
        fake_logits = _logits(networks, settings, fake, labels, values)
        loss = OBJECTIVES[settings.recipe.objective].generator(real_logits, fake_logits)
        networks.generator_optimiser.zero_grad()
        torch.autograd.backward(loss)
    finally:
        networks.discriminator.requires_grad_(True)
    parallel.average_gradients(networks.generator)
    networks.generator_optimiser.step()
    return loss


def _logits(
    networks: Networks, settings: StepSettings, images: Tensor, labels: Tensor | None, values: StepValues
) -> Tensor:
    seen = augment(images, values.augment, networks.random)
    if isinstance(values.instance_noise, Tensor) or values.instance_noise:
        seen = seen + values.instance_noise * networks.random.normal(*seen.shape)
    with _autocast(settings):
        logits: Tensor = networks.discriminator(seen.contiguous(memory_format=torch.channels_last), labels)
    return logits.float()


def _autocast(settings: StepSettings) -> torch.autocast:
    return torch.autocast(settings.device.type, settings.dtype, enabled=settings.dtype != torch.float32)
