"""Calibrates a gate: computes the quantiles of its raw scores for each class."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from models.precision import fastest_dtype
from models.quality_gate import QUANTILES, Quantiles
from training.gate.candidates import Candidates

_MOST_IMAGES, _PER_CLASS, _LEAST_PER_CLASS = 200_000, 5000, 200
"""Limits of the number of images that calibrate a gate. 5000 of a class fix the median to 0.7 per cent (1 sigma)."""


def images_per_class(classes: int) -> int:
    """Return how many images of each class calibrate a gate: fewer for models with many classes."""
    return max(_LEAST_PER_CLASS, min(_PER_CLASS, _MOST_IMAGES // max(1, classes)))


def in_worker_precision(network: nn.Module, device: torch.device) -> nn.Module:
    """Put a gate's network on a device in the number format that workers use there."""
    return network.to(device, fastest_dtype(device)).eval()


@torch.inference_mode()
def raw_scores(network: nn.Module, grids: Tensor) -> Tensor:
    """Score images before they are drawn. Shapes: grids (n, c, g, g) on the network's device; returns (n,) on the CPU.

    Grids have the number format of the network.
    """
    scores: Tensor = network(grids)
    return scores.cpu()


def calibrate(
    network: nn.Module, candidates: Iterable[Candidates], classes: int, progress: Callable[[int], None]
) -> Quantiles:
    """Compute the raw scores at 0, 1, ... 100 per cent of each class. `progress` receives the number of images."""
    scores, labels, done = [], [], 0
    for chunk in candidates:
        scores.append(raw_scores(network, chunk.grids))
        labels.append(chunk.labels)
        done += len(chunk.labels)
        progress(done)
    every, of = torch.cat(scores).double().numpy(), torch.cat(labels).numpy()
    shares = np.linspace(0, 1, QUANTILES)
    return tuple(tuple(np.quantile(every[of == label], shares).tolist()) for label in range(max(1, classes)))
