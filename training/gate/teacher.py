"""The teacher of a gate: a realism score of images, from a feature network and all real images."""

import torch
from torch import Tensor

from training.metrics import neighbours

_K = 20
"""A real image's ball reaches to its 20th neighbour."""
_BALLS = 10
"""Number of real images with the largest ratios of radius to distance."""
_NEAREST = 50
"""Number of nearest real images."""
_LEAST = 1e-6
"""Least distance and ratio, because duplicates have distance zero, and least divisor of a deviation."""


def realism(samples: Tensor, reals: Tensor) -> Tensor:
    """Return the sum of two standardised scores. Both are mean logarithms of a real's radius over its distance.

    The first one takes the ten largest ratios. It smooths the score of Kynkaanniemi et al. 2019, which takes the
    largest ratio alone. Such ratios are often those of unusual reals, whose balls are large.
    The second one takes the ratios of the 50 nearest reals. It agrees better with other feature networks.
    Shapes: samples (n, d), reals (m, d); returns (n,).
    """
    manifold = neighbours.manifold(reals, min(_K, len(reals) - 1))
    radii, found = manifold.radii.clamp(min=_LEAST), []
    for _, distances in neighbours.blocks(samples, manifold.points):
        ratios = (radii / distances.clamp_(min=_LEAST)).log_()
        near = distances.topk(min(_NEAREST, len(reals)), largest=False).indices
        largest = ratios.topk(min(_BALLS, len(reals))).values
        found.append(torch.stack([largest.mean(dim=1), ratios.gather(1, near).mean(dim=1)]))
    scores = torch.cat(found, dim=1)
    centred = scores - scores.mean(dim=1, keepdim=True)
    total: Tensor = (centred / scores.std(dim=1, keepdim=True, correction=0).clamp(min=_LEAST)).sum(dim=0)
    return total
