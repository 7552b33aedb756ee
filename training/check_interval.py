"""How often a run is checked against the data: every so many steps, a number that no clock has a part in.

A check decides which snapshot ships. So the same data, seed and budget give the same checks on a fast machine, on a
busy one, and when the run was paused. The number follows from arithmetic alone: the floating-point operations of a step
against the work of a check, both in seconds of two CPU cores. Checks take about a 25th of that time. Only the ratio of
the two matters elsewhere.
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
"""Of training steps; a step of tiny networks takes its launches' time."""
_FEATURE_SECONDS, _REST_SECONDS = 0.01, 2.0
"""Of a sample that is drawn and measured, and of all else: matrix roots, the checkpoint, pictures, the state."""


def every_steps(recipe: Recipe, networks: Networks, images_per_batch: int, samples: int) -> int:
    """Tell after how many steps a run is checked again.

    `images_per_batch` counts one process's images, `samples` those that a check measures.
    """
    work = images_per_batch * _flops_per_image(recipe, networks)
    step_seconds = max(_LEAST_STEP_SECONDS, work / _FLOPS_PER_SECOND)
    return ceil((samples * _FEATURE_SECONDS + _REST_SECONDS) / _SHARE / step_seconds)


def _flops_per_image(recipe: Recipe, networks: Networks) -> float:
    """Count a step's operations per image of a batch: each discriminator step sees a real image and a fake one."""
    generator, discriminator = (_without_weights(network) for network in (networks.generator, networks.discriminator))
    z, labels = torch.empty(2, recipe.latent_dim, device="meta"), torch.zeros(2, dtype=torch.long, device="meta")
    with FlopCounterMode(display=False) as fakes:
        images = generator(z, labels)
        discriminator(images, labels).sum().backward()
    with FlopCounterMode(display=False) as reals:
        discriminator(images.detach(), labels).sum().backward()
    total = fakes.get_total_flops() + 2 * recipe.discriminator_steps * reals.get_total_flops()
    return float(total) / len(z)


def _without_weights(network: nn.Module) -> nn.Module:
    """Copy a network without its weights."""
    return copy.deepcopy(network).to("meta").requires_grad_(True)
