"""The distances of real images to training images. Samples that are nearer than these are copies.

Source of the comparison with held-out images: Meehan et al. 2020, "A non-parametric test to detect data-copying".
"""

from typing import NamedTuple

import torch
from torch import Tensor

from training.errors import MetricsError

_COPY_QUANTILE = 0.01
_SAME_IMAGE = 0.05
"""Reals closer than this share of the typical distance count as duplicates and are ignored."""


class RealDistances(NamedTuple):
    """Distances of real images to the nearest training image that does not show the same."""

    typical: float
    """The median."""
    closest: float
    """The distance below which 1% of reals lie. A sample below it is a copy."""


def summarise(held_out: Tensor) -> RealDistances:
    """Summarise the distances of real images to training images.

    Shapes: held_out (m, k), distances of each held-out real to its k nearest training images, nearest first. If a
    dataset holds out none, each training image is held out from the others.
    Raises MetricsError when all reals are the same image.
    """
    least = _SAME_IMAGE * held_out[:, -1].median()
    # Duplicates are skipped in favour of the next nearest other image.
    nearest = held_out.where(held_out > least, torch.inf).amin(dim=1)
    nearest = nearest[nearest.isfinite()]
    if not len(nearest):
        raise MetricsError("all real images are the same, so samples cannot be compared with them")
    return RealDistances(float(nearest.median()), float(nearest.quantile(_COPY_QUANTILE)))
