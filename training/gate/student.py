"""Trains a gate's network to imitate the realism of images, which needs a feature network and all real images."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.nn.utils.fusion import fuse_linear_bn_eval

from models import dcgan
from models.quality_gate import GateNetwork
from training.budget import Budget
from training.random_stream import RandomStream

_BATCH = 64
_LEARNING_RATE, _WEIGHT_DECAY = 2e-3, 1e-2
_WARM_UP = 0.1
"""Share of the training in which the learning rate rises."""
_DROPOUT = 0.5
"""Share of the features that each step leaves out. Without it, the network overfits."""
_LEAST_DEVIATION = 1e-6
"""Least divisor, for images of equal realism."""


class Lesson(NamedTuple):
    """Start grids of images, and the realism of the images.

    Shapes: grids (n, c, g, g) in any number format, labels (n,) int64, realism (n,).
    """

    grids: Tensor
    labels: Tensor
    realism: Tensor


def train(
    lesson: Lesson, budget: Budget, seed: int, device: torch.device, progress: Callable[[float], None]
) -> GateNetwork:
    """Train a network by the squared error of the realism. `progress` receives the share of the budget that is spent.

    Returns the network in eval mode, float32, on the CPU.
    """
    stream, targets = RandomStream(torch.Generator().manual_seed(seed)), _targets(lesson)
    student = _Student(_new_network(lesson.grids, seed)).to(device)
    optimiser = torch.optim.AdamW(student.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    started, step, spent = time.monotonic(), 0, 0.0
    while spent < 1:
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * _schedule(spent)
        chosen = stream.integers(len(targets), _BATCH)
        loss = mse_loss(student(lesson.grids[chosen].to(device).float(), stream), targets[chosen].to(device))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        step += 1
        spent = budget.progress(step, time.monotonic() - started)
        progress(spent)
    return student.folded()


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


def _new_network(grids: Tensor, seed: int) -> GateNetwork:
    """Build a network with initial weights for some grids."""
    _, channels, side, _ = grids.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GateNetwork(channels, side * 2**dcgan.UPSAMPLINGS)


class _Student(nn.Module):
    """A gate's network in training, with batch norms before and behind its first layer, and with dropout."""

    def __init__(self, network: GateNetwork) -> None:
        super().__init__()
        self.network = network
        self.input_norm = nn.BatchNorm1d(network.features.in_features)
        self.norm = nn.BatchNorm1d(network.features.out_features)

    def forward(self, grids: Tensor, stream: RandomStream) -> Tensor:
        """Compute raw scores, in training mode with dropout. Shapes: (n, c, g, g) float32; returns (n,)."""
        positions = grids.permute(0, 2, 3, 1).flatten(0, 2)
        features = self.norm(self.network.features(self.input_norm(positions))).relu().view(len(grids), -1)
        if self.training:
            is_kept = stream.uniform(*features.shape) >= _DROPOUT
            features = features * is_kept.to(features.device) / (1 - _DROPOUT)
        scores: Tensor = self.network.score(features)
        return scores.flatten()

    def folded(self) -> GateNetwork:
        """Return the network with the batch norms folded into its first layer. The function stays the same."""
        self.eval().cpu()
        _fold_input_norm(self.input_norm, self.network.features)
        self.network.features = fuse_linear_bn_eval(self.network.features, self.norm)
        return self.network.requires_grad_(False)


@torch.no_grad()
def _fold_input_norm(norm: nn.BatchNorm1d, layer: nn.Linear) -> None:
    """Change a layer so that it computes the norm before it, too."""
    scale = norm.weight / (cast(Tensor, norm.running_var) + norm.eps).sqrt()
    shift = norm.bias - cast(Tensor, norm.running_mean) * scale
    layer.bias.add_(layer.weight @ shift)
    layer.weight.mul_(scale)
