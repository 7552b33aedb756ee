"""Everything of a run that learns: two networks, their optimisers, the average and the random stream."""

from dataclasses import dataclass

import torch
from pydantic import ValidationError
from torch import nn
from torch.optim import Adam

from models.registry import Architecture, build_discriminator, build_generator
from training import ema
from training.errors import RecipeError
from training.recipe import Recipe


@dataclass
class Networks:
    """What a training step changes, and what exact resume must restore."""

    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module
    generator_optimiser: Adam
    discriminator_optimiser: Adam
    random: torch.Generator


def architecture_of(recipe: Recipe, resolution: int, classes: int) -> Architecture:
    """Size the recipe's architecture for a dataset. Raises RecipeError when it does not come in that size."""
    try:
        return Architecture(
            name=recipe.architecture,
            resolution=resolution,
            latent_dim=recipe.latent_dim,
            channels=recipe.generator_channels,
            classes=classes,
        )
    except ValidationError as error:
        raise RecipeError("; ".join(fault["msg"] for fault in error.errors())) from error


def build(recipe: Recipe, architecture: Architecture, seed: int, device: torch.device) -> Networks:
    """Initialise a run from its seed; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = build_generator(architecture)
        discriminator = build_discriminator(architecture.model_copy(update={"channels": recipe.discriminator_channels}))
    for network in (generator, discriminator):
        network.to(device).to(memory_format=torch.channels_last)
    return Networks(
        generator=generator,
        discriminator=discriminator,
        average=ema.average_of(generator),
        generator_optimiser=Adam(generator.parameters(), recipe.generator_lr, recipe.betas, fused=True),
        discriminator_optimiser=Adam(discriminator.parameters(), recipe.discriminator_lr, recipe.betas, fused=True),
        random=torch.Generator(device).manual_seed(seed),
    )
