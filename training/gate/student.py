"""Trains a gate's network to imitate the realism of images, which needs a feature network and all real images."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.quality_gate import GateNetwork
from training import augment
from training.budget import Budget
from training.random_stream import RandomStream

_BATCH = 64
_LEARNING_RATE, _WEIGHT_DECAY = 2e-3, 1e-2
_WARM_UP = 0.1
"""Share of the training in which the learning rate rises."""
_LEAST_DEVIATION = 1e-6
"""Least divisor, for images of equal realism."""


class Lesson(NamedTuple):
    """Images and their realism. Shapes: images (n, 3, r, r) uint8, labels (n,) int64, realism (n,)."""

    images: Tensor
    labels: Tensor
    realism: Tensor


def train(
    lesson: Lesson, budget: Budget, seed: int, device: torch.device, progress: Callable[[float], None]
) -> GateNetwork:
    """Train a network by the squared error of the realism. `progress` receives the share of the budget that is spent.

    Images are mirrored at random. Returns the network in eval mode, on the CPU.
    """
    stream, targets = RandomStream(torch.Generator().manual_seed(seed)), _targets(lesson)
    student = _new_student(lesson.images.shape[-1], seed).to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(student.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    started, step, spent = time.monotonic(), 0, 0.0
    while spent < 1:
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * _schedule(spent)
        chosen = stream.integers(len(targets), _BATCH)
        images = augment.mirror(lesson.images[chosen], stream).contiguous(memory_format=torch.channels_last)
        loss = mse_loss(student(images.to(device)), targets[chosen].to(device))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        step += 1
        spent = budget.progress(step, time.monotonic() - started)
        progress(spent)
    return _fold(student)


def _targets(lesson: Lesson) -> Tensor:
    """Standardise the realism of each class, because a gate ranks images within a class. Shapes: returns (n,)."""
    targets = lesson.realism.clone()
    for label in set(lesson.labels.tolist()):
        rows = lesson.labels == label
        targets[rows] -= targets[rows].mean()
    return targets / targets.std().clamp(min=_LEAST_DEVIATION)


def _schedule(spent: float) -> float:
    """Return the factor of the learning rate: it rises linearly, then falls to 0 along a cosine."""
    if spent < _WARM_UP:
        return (spent + 0.01) / (_WARM_UP + 0.01)
    return 0.5 + 0.5 * math.cos(math.pi * (spent - _WARM_UP) / (1 - _WARM_UP))


def _new_student(resolution: int, seed: int) -> GateNetwork:
    """Build a network with initial weights and a batch norm behind each convolution, in training mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = GateNetwork(resolution)
    blocks = (cast(nn.Sequential, block) for block in student.layers)
    student.layers = nn.Sequential(
        *(nn.Sequential(block[0], nn.BatchNorm2d(cast(int, block[0].out_channels)), block[1]) for block in blocks)
    )
    return student.train()


def _fold(student: GateNetwork) -> GateNetwork:
    """Fold the batch norms into the convolutions before them. The function stays the same."""
    student.eval().cpu()
    blocks = []
    for convolution, norm, activation in (cast(nn.Sequential, block) for block in student.layers):
        folded = fuse_conv_bn_eval(cast(nn.Conv2d, convolution), cast(nn.BatchNorm2d, norm))
        blocks.append(nn.Sequential(folded, activation))
    student.layers = nn.Sequential(*blocks)
    return student.to(memory_format=torch.contiguous_format).requires_grad_(False)
