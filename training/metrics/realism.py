"""Which samples pass for real one by one: the realism score, and the yield of a model under it."""

import torch
from torch import Tensor

from training.metrics import neighbours
from training.metrics.neighbours import Manifold

PASSING_REALS = 0.95
"""A sample passes with a score that this share of held-out reals reaches."""
_LEAST_DISTANCE = 1e-6
"""Duplicates lie at distance zero, by which nothing can be divided."""


def compute_yield(fakes: Tensor, reals: Tensor, held_out: Tensor) -> float:
    """Tell the yield: the share of fakes whose score 95% of held-out reals reach. Shapes: (n, d), (m, d), (l, d).

    The source drops the half of the reals with the larger balls, lest outliers accept anything near them. Here the
    threshold guards against that, and without outliers among the balls it would have to be far lower.
    """
    manifold = neighbours.manifold(reals)
    least = score(held_out, manifold).quantile(1 - PASSING_REALS)
    return float((score(fakes, manifold) >= least).double().mean())


def score(samples: Tensor, reals: Manifold) -> Tensor:
    """Score samples: the largest ratio of a real's radius to its distance; 1 or more lies in a ball.

    Shapes: samples (n, d); returns (n,). Source: Kynkaanniemi et al. 2019, eq. 3.
    """
    blocks = neighbours.blocks(samples, reals.points)
    return torch.cat([(reals.radii / distances.clamp_(min=_LEAST_DISTANCE)).amax(dim=1) for _, distances in blocks])
