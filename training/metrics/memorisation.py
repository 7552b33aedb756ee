"""Detects copies of training images among samples, relative to the distances of real images to training images.

Source of the comparison with held-out images: Meehan et al. 2020, "A non-parametric test to detect data-copying".
"""

from typing import NamedTuple

import torch
from torch import Tensor

from training.errors import MetricsError

_COPY_QUANTILE = 0.01
_SAME_IMAGE = 0.05
"""Reals closer than this share of the typical distance count as duplicates and are ignored."""


class Memorisation(NamedTuple):
    """Distances to the training images. New real images would give about 1 and 0.01."""

    nearest_ratio: float
    """Median distance of samples to the nearest training image, relative to that of held-out reals."""
    copies: float
    """Share of samples closer to a training image than all but 1% of held-out reals."""


def measure(samples: Tensor, held_out: Tensor) -> Memorisation:
    """Compare distances to training images.

    Shapes: samples (n,), distances to the nearest training image; held_out (m, k), distances of each held-out real to
    its k nearest training images, nearest first. If a dataset holds out none, each training image is held out from the
    others.
    Raises MetricsError when all reals are the same image.
    """
    least = _SAME_IMAGE * held_out[:, -1].median()
    # Duplicates are skipped in favour of the next nearest other image.
    nearest = held_out.where(held_out > least, torch.inf).amin(dim=1)
    nearest = nearest[nearest.isfinite()]
    if not len(nearest):
        raise MetricsError("all real images are the same, so samples cannot be compared with them")
    limit = nearest.quantile(_COPY_QUANTILE)
    return Memorisation(float(samples.median() / nearest.median()), float((samples < limit).double().mean()))
