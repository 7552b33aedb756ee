"""How often a run is checked against the data: every fixed number of steps, independent of any clock.

A check decides which snapshot ships. So the same data, seed and budget give the same checks on a fast machine, on a
busy one, and after a pause. The number follows from the floating-point operations of a step and the work of a check,
both in seconds of two CPU cores. Checks take about a 25th of that time. On other machines only the ratio of the two
matters.
"""

import copy
from math import ceil

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training.networks import Networks
from training.recipe import Recipe

_SHARE = 1 / 25
_FLOPS_PER_SECOND, _LEAST_STEP_SECONDS = 3e11, 0.01
"""Speed of training. Steps of tiny networks take the least time, because launching kernels dominates."""
_FEATURE_SECONDS, _REST_SECONDS = 0.01, 2.0
"""Cost of a check per sample, and its fixed cost: matrix roots, the checkpoint, pictures, the state."""


def every_steps(recipe: Recipe, networks: Networks, images_per_batch: int, samples: int) -> int:
    """Return the number of steps between two checks.

    `images_per_batch` counts the images of one process. `samples` counts the images that a check measures.
    """
    # Every process trains its own slice, so one process's images decide the time.
    work = images_per_batch * _flops_per_image(recipe, networks)
    step_seconds = max(_LEAST_STEP_SECONDS, work / _FLOPS_PER_SECOND)
    return ceil((samples * _FEATURE_SECONDS + _REST_SECONDS) / _SHARE / step_seconds)


def _flops_per_image(recipe: Recipe, networks: Networks) -> float:
    """Count a step's operations per image. Each discriminator step sees a real image and a fake one."""
    generator, discriminator = (_without_weights(network) for network in (networks.generator, networks.discriminator))
    z, labels = torch.empty(2, recipe.latent_dim, device="meta"), torch.zeros(2, dtype=torch.long, device="meta")
    # Tensors on the meta device have shapes only, so counting costs no real work.
    with FlopCounterMode(display=False) as fakes:
        images = generator(z, labels)
        discriminator(images, labels).sum().backward()
    with FlopCounterMode(display=False) as reals:
        discriminator(images.detach(), labels).sum().backward()
    # A discriminator step passes reals and detached fakes; the generator step is the first term.
    total = fakes.get_total_flops() + 2 * recipe.discriminator_steps * reals.get_total_flops()
    return float(total) / len(z)


def _without_weights(network: nn.Module) -> nn.Module:
    """Copy a network to the meta device, where it has shapes but no weights."""
    return copy.deepcopy(network).to("meta").requires_grad_(True)
