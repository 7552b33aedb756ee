"""Whether samples are copies: how near they come to the training images, against how near other real images come."""

from typing import NamedTuple

import torch
from torch import Tensor

from training.errors import MetricsError

_COPY_QUANTILE = 0.01
_SAME_IMAGE = 0.05
"""Reals nearer than this share of the typical distance are one image twice, and say nothing of two images."""


class Memorisation(NamedTuple):
    """Nearness to the training images; new real images would give about 1 and 0.01."""

    nearest_ratio: float
    """Median distance of samples to the nearest training image, over that of a real image held out from the rest."""
    copies: float
    """Share of samples that come nearer to a training image than all but 1% of held-out reals do."""


def measure(samples: Tensor, held_out: Tensor) -> Memorisation:
    """Compare distances to training images.

    Shapes: samples (n,), to the nearest one; held_out (m, k), of each real to its k nearest others, nearest first.
    Raises MetricsError when the reals are all one image.
    """
    least = _SAME_IMAGE * held_out[:, -1].median()
    nearest = held_out.where(held_out > least, torch.inf).amin(dim=1)
    nearest = nearest[nearest.isfinite()]
    if not len(nearest):
        raise MetricsError("the real images are all alike: there is nothing to measure samples against")
    limit = nearest.quantile(_COPY_QUANTILE)
    return Memorisation(float(samples.median() / nearest.median()), float((samples < limit).double().mean()))
