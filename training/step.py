"""One training step: the discriminator learns from a batch, then the generator learns from the discriminator."""

from dataclasses import dataclass

import torch
from torch import Tensor

from training import ema
from training.augment import augment
from training.networks import Networks
from training.objectives import OBJECTIVES
from training.recipe import Recipe


@dataclass(frozen=True)
class Conditions:
    """What stays the same over all steps of a run."""

    recipe: Recipe
    device: torch.device
    dtype: torch.dtype
    """In which the networks compute; weights stay float32."""


def train_step(
    networks: Networks, conditions: Conditions, real: Tensor, labels: Tensor | None, images_seen: int
) -> Tensor:
    """Update both networks and the average.

    Shapes: real (n, 3, h, w) in [-1, 1], labels (n,) or None; `images_seen` counts this batch too.
    Returns (4,): loss_g, loss_d, real_score, fake_score, the scores being the mean sigmoid of the logits.
    """
    z = torch.randn(len(real), conditions.recipe.latent_dim, generator=networks.random, device=conditions.device)
    with _autocast(conditions):
        fake = networks.generator(z, labels)
    loss_d, real_logits, fake_logits = _discriminator_step(networks, conditions, real, fake.detach(), labels)
    loss_g = _generator_step(networks, conditions, fake, labels)
    decay = ema.decay(len(real), images_seen, conditions.recipe.ema_half_life_images)
    ema.update(networks.average, networks.generator, decay)
    return torch.stack([loss_g, loss_d, real_logits.sigmoid().mean(), fake_logits.sigmoid().mean()]).detach()


def _discriminator_step(
    networks: Networks, conditions: Conditions, real: Tensor, fake: Tensor, labels: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    real_logits = _logits(networks, conditions, real, labels)
    fake_logits = _logits(networks, conditions, fake, labels)
    loss = OBJECTIVES[conditions.recipe.objective].discriminator(real_logits, fake_logits)
    networks.discriminator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    networks.discriminator_optimiser.step()
    return loss, real_logits, fake_logits


def _generator_step(networks: Networks, conditions: Conditions, fake: Tensor, labels: Tensor | None) -> Tensor:
    networks.discriminator.requires_grad_(False)
    loss = OBJECTIVES[conditions.recipe.objective].generator(_logits(networks, conditions, fake, labels))
    networks.generator_optimiser.zero_grad()
    torch.autograd.backward(loss)
    networks.generator_optimiser.step()
    networks.discriminator.requires_grad_(True)
    return loss


def _logits(networks: Networks, conditions: Conditions, images: Tensor, labels: Tensor | None) -> Tensor:
    with _autocast(conditions):
        seen = augment(images, conditions.recipe.augment, networks.random)
        logits: Tensor = networks.discriminator(seen.contiguous(memory_format=torch.channels_last), labels)
    return logits.float()


def _autocast(conditions: Conditions) -> torch.autocast:
    return torch.autocast(conditions.device.type, conditions.dtype, enabled=conditions.dtype != torch.float32)
