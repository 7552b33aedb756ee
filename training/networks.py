"""The trainable parts of a run: two networks, their optimisers, the average and the random stream."""

from dataclasses import dataclass

import torch
from pydantic import ValidationError
from torch import nn
from torch.optim import Adam, Optimizer, RMSprop

from models.registry import Architecture, build_discriminator, build_generator
from training import ema
from training.dataset.dataset_files import Description
from training.errors import RecipeError
from training.parallel import ALONE, ProcessRank
from training.random_stream import RandomStream
from training.recipe import Recipe


@dataclass
class Networks:
    """Everything that a training step changes, and that a resume must restore."""

    generator: nn.Module
    discriminator: nn.Module
    average: nn.Module
    generator_optimiser: Optimizer
    discriminator_optimiser: Optimizer
    random: RandomStream


def architecture_of(recipe: Recipe, data: Description) -> Architecture:
    """Return the recipe's architecture at the size of a dataset.

    Raises RecipeError when the architecture has no such size or needs classes that the dataset lacks.
    """
    if recipe.labels == "need" and not data.classes:
        raise RecipeError(f"this recipe needs classes, and {data.name} has none: use class folders or --label-column")
    try:
        return Architecture(
            name=recipe.architecture,
            resolution=data.resolution,
            latent_dim=recipe.latent_dim,
            channels=recipe.generator_channels,
            classes=0 if recipe.labels == "ignore" else len(data.classes),
            sphere=recipe.sphere,
        )
    except ValidationError as error:
        faults = (f"{fault['loc'][0]} {fault['input']}: {fault['msg']}" for fault in error.errors())
        raise RecipeError(f"{data.name}: {'; '.join(faults)}") from error


def build(
    recipe: Recipe, architecture: Architecture, seed: int, device: torch.device, process: ProcessRank = ALONE
) -> Networks:
    """Create the networks of a run from its seed. The same seed gives the same weights."""
    # The seed must not change random numbers elsewhere. Weights are drawn on the CPU on every machine.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = build_generator(architecture)
        discriminator = build_discriminator(
            architecture, recipe.discriminator_channels, recipe.discriminator_norm, recipe.projection
        )
    for network in (generator, discriminator):
        # Convolutions are fastest with the channels as the innermost axis.
        network.to(device).to(memory_format=torch.channels_last)
    return Networks(
        generator=generator,
        discriminator=discriminator,
        average=ema.start_average(generator),
        generator_optimiser=_optimiser(recipe, generator, recipe.generator_lr),
        discriminator_optimiser=_optimiser(recipe, discriminator, recipe.discriminator_lr),
        random=RandomStream(torch.Generator(device).manual_seed(seed), process.rank, process.world_size),
    )


def _optimiser(recipe: Recipe, network: nn.Module, lr: float) -> Optimizer:
    device = next(network.parameters()).device
    # A CUDA graph can record an optimiser only if its learning rate and its counter lie on the device.
    is_recorded = device.type == "cuda"
    rate = torch.tensor(lr, device=device) if is_recorded else lr
    if recipe.optimiser == "rmsprop":
        return RMSprop(network.parameters(), rate, capturable=is_recorded)
    return Adam(network.parameters(), rate, recipe.betas, fused=True, capturable=is_recorded)
