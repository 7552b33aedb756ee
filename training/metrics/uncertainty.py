"""Confidence intervals of figures, and the bias of a Frechet distance of few samples."""

from typing import NamedTuple

import torch
from torch import Tensor

from training.metrics import frechet
from training.metrics.frechet import Gaussian

GROUPS = 5
"""Number of jackknife groups. Each is left out once. More groups need more matrix roots."""
_T, _Z = 2.776, 1.96
"""Quantiles of 95% intervals: Student's t with four degrees of freedom, and the normal distribution's."""

Interval = tuple[float, float]


class Spread(NamedTuple):
    """Uncertainty of a Frechet distance."""

    interval: Interval
    """95% interval for other samples of the same number."""
    bias: float
    """Estimated decrease of the distance as the number of samples grows to infinity."""


def share(value: float, n: int) -> Interval:
    """Return the 95% interval of a share of n. Source: Wilson 1927."""
    centre, weight = value + _Z**2 / (2 * n), 1 + _Z**2 / n
    half = _Z * (value * (1 - value) / n + _Z**2 / (4 * n**2)) ** 0.5
    return max(0.0, (centre - half) / weight), min(1.0, (centre + half) / weight)


def spread(distance: float, reals: Gaussian, fakes: Tensor) -> Spread | None:
    """Estimate interval and bias of a Frechet distance. Each of five distances leaves out a fifth of the samples.

    Returns None if there are too few samples for groups of two. Shapes: fakes (n, d).
    Source: the delete-a-group jackknife; Quenouille 1956 for the bias.
    """
    if len(fakes) < 2 * GROUPS:
        return None
    groups = torch.arange(len(fakes)) % GROUPS
    without = [frechet.distance(reals, frechet.gaussian(fakes[groups != k])) for k in range(GROUPS)]
    mean = sum(without) / GROUPS
    # The standard error of the jackknife.
    error = ((GROUPS - 1) / GROUPS * sum((value - mean) ** 2 for value in without)) ** 0.5
    interval = max(0.0, distance - _T * error), distance + _T * error
    return Spread(interval, (GROUPS - 1) * (mean - distance))
