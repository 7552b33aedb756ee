"""The realism score of single samples. The yield is the share of samples that pass it."""

import torch
from torch import Tensor

from training.metrics import neighbours
from training.metrics.neighbours import Manifold

PASSING_REALS = 0.95
"""A sample passes with a score that this share of held-out reals reaches."""
_LEAST_DISTANCE = 1e-6
"""Least divisor, because duplicates have distance zero."""


def passes(fakes: Tensor, reals: Tensor, held_out: Tensor) -> Tensor:
    """Return which fakes have the score that 95% of held-out reals reach.

    The paper drops the half of the reals with the larger balls, so that outliers do not accept every sample near them.
    Here the threshold has that effect. Without outliers it would have to be far lower.
    Shapes: (n, d), (m, d), (l, d); returns (n,) bool.
    """
    manifold = neighbours.manifold(reals)
    # The manifold is of one half of the reals, and the threshold of the other.
    least = score(held_out, manifold).quantile(1 - PASSING_REALS)
    return score(fakes, manifold) >= least


def score(samples: Tensor, reals: Manifold) -> Tensor:
    """Return the largest ratio of a real's radius to its distance. A sample with 1 or more lies in a ball.

    Shapes: samples (n, d); returns (n,). Source: Kynkaanniemi et al. 2019, eq. 3.
    """
    blocks = neighbours.blocks(samples, reals.points)
    return torch.cat([(reals.radii / distances.clamp_(min=_LEAST_DISTANCE)).amax(dim=1) for _, distances in blocks])
