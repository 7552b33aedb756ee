"""One training step: the discriminator learns from its batches, then the generator learns from the discriminator."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training import ema, parallel, penalties
from training.augment import augment
from training.networks import Networks
from training.objectives import OBJECTIVES, bce_discriminator
from training.recipe import Recipe
from training.schedule import Now

SUMMARY = ("loss_g", "loss_d", "real_score", "fake_score", "real_logit", "fake_logit")
"""What a step reports; a score is the mean sigmoid of the logits."""


@dataclass(frozen=True)
class Conditions:
    """What stays the same over all steps of a run."""

    recipe: Recipe
    device: torch.device
    dtype: torch.dtype
    """In which the networks compute; weights and penalties stay float32."""


@dataclass(frozen=True)
class Batch:
    """What one discriminator step looks at. Shapes: real (n, 3, h, w) in [-1, 1], labels (n,) or None."""

    real: Tensor
    labels: Tensor | None


def train_step(
    networks: Networks, conditions: Conditions, batches: Sequence[Batch], now: Now, step: int, images_seen: int
) -> Tensor:
    """Update the discriminator once per batch, then the generator and its average.

    `step` counts those before; `images_seen` counts this one too, and all processes. Returns (6,), named by SUMMARY.
    """
    recipe = conditions.recipe
    _set_lr(networks, recipe, now)
    for batch in batches[:-1]:
        with torch.no_grad():
            fake = _fake(networks, conditions, batch)
        _discriminator_step(networks, conditions, batch, fake, now, step)
    batch = batches[-1]
    fake = _fake(networks, conditions, batch)
    loss_d, real, judged = _discriminator_step(networks, conditions, batch, fake.detach(), now, step)
    loss_g = _generator_step(networks, conditions, fake, batch.labels, real, now)
    ema.update(
        networks.average,
        networks.generator,
        ema.decay(images_seen // (step + 1), images_seen, recipe.ema_half_life_images),
    )
    scores = real.sigmoid().mean(), judged.sigmoid().mean()
    return torch.stack([loss_g, loss_d, *scores, real.mean(), judged.mean()]).detach()


def _fake(networks: Networks, conditions: Conditions, batch: Batch) -> Tensor:
    z = networks.random.normal(len(batch.real), conditions.recipe.latent_dim)
    with _autocast(conditions):
        images: Tensor = networks.generator(z, batch.labels)
    return images.float()


def _discriminator_step(
    networks: Networks, conditions: Conditions, batch: Batch, fake: Tensor, now: Now, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    real = _logits(networks, conditions, batch.real, batch.labels, now)
    judged = _logits(networks, conditions, fake, batch.labels, now)
    loss = _discriminator_loss(networks, conditions.recipe, real, judged)
    networks.discriminator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    penalty = _penalty(networks, conditions.recipe, batch, fake, now, step)
    if penalty is not None:
        torch.autograd.backward(penalty)
    parallel.average_gradients(networks.discriminator)
    networks.discriminator_optimiser.step()
    if conditions.recipe.clip:
        penalties.clip(networks.discriminator, conditions.recipe.clip)
    return loss, real.detach(), judged.detach()


def _discriminator_loss(networks: Networks, recipe: Recipe, real: Tensor, fake: Tensor) -> Tensor:
    if recipe.label_flips:
        flipped = networks.random.uniform(len(real)) < recipe.label_flips
        real, fake = torch.where(flipped, fake, real), torch.where(flipped, real, fake)
    if recipe.label_smoothing:
        return bce_discriminator(real, fake, recipe.label_smoothing)
    return OBJECTIVES[recipe.objective].discriminator(real, fake)


def _penalty(networks: Networks, recipe: Recipe, batch: Batch, fake: Tensor, now: Now, step: int) -> Tensor | None:
    def logits_of(images: Tensor) -> Tensor:
        logits: Tensor = networks.discriminator(images.contiguous(memory_format=torch.channels_last), batch.labels)
        return logits

    lazy = not now.gamma or step % recipe.penalty_every_steps
    if not recipe.gradient_penalty and lazy:
        return None
    real, fake = (augment(images, now.augment, networks.random) for images in (batch.real, fake))
    if recipe.gradient_penalty:
        share = networks.random.uniform(len(fake), 1, 1, 1)
        return recipe.gradient_penalty * penalties.one_centred(logits_of, real, fake, share)
    r1, r2 = (penalties.zero_centred(logits_of, images) for images in (real, fake))
    return now.gamma / 2 * recipe.penalty_every_steps * (r1 + r2)


def _generator_step(
    networks: Networks, conditions: Conditions, fake: Tensor, labels: Tensor | None, real: Tensor, now: Now
) -> Tensor:
    # The real logits are those from before the discriminator's update: another pass would change only weights near 1.
    networks.discriminator.requires_grad_(False)
    judged = _logits(networks, conditions, fake, labels, now)
    loss = OBJECTIVES[conditions.recipe.objective].generator(real, judged)
    networks.generator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    parallel.average_gradients(networks.generator)
    networks.generator_optimiser.step()
    networks.discriminator.requires_grad_(True)
    return loss


def _logits(networks: Networks, conditions: Conditions, images: Tensor, labels: Tensor | None, now: Now) -> Tensor:
    seen = augment(images, now.augment, networks.random)
    if now.instance_noise:
        seen = seen + now.instance_noise * networks.random.normal(*seen.shape)
    with _autocast(conditions):
        logits: Tensor = networks.discriminator(seen.contiguous(memory_format=torch.channels_last), labels)
    return logits.float()


def _set_lr(networks: Networks, recipe: Recipe, now: Now) -> None:
    networks.generator_optimiser.param_groups[0]["lr"] = recipe.generator_lr * now.lr
    networks.discriminator_optimiser.param_groups[0]["lr"] = recipe.discriminator_lr * now.lr


def _autocast(conditions: Conditions) -> torch.autocast:
    return torch.autocast(conditions.device.type, conditions.dtype, enabled=conditions.dtype != torch.float32)
