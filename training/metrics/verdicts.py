"""Verdicts about single samples: whether each passes for real, is a copy, and which class it looks like."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from training.metrics import memorisation, neighbours, realism
from training.metrics.neighbours import K, Nearest
from training.metrics.reference import Reference

MOST_POINTS = 10_000
"""Largest number of reals that thresholds are computed from. More cost time and change little."""


class Verdicts(NamedTuple):
    """Verdicts about samples. Rows are samples."""

    passes: Tensor
    """Whether a sample has the realism that 95% of held-out reals reach. Shape: (n,) bool."""
    is_copy: Tensor
    """Whether a sample is nearer to a training image than all but 1% of reals. Shape: (n,) bool."""
    votes: Tensor
    """The class that most of a sample's nearest reals have; -1 if they have none. Shape: (n,) int64."""
    nearest_training: Nearest
    """The nearest training image of each sample. Shapes: (n, 1), indices in the order of the training reference."""
    typical_distance: float
    """Median distance of a real image to the nearest training image that is not itself."""

    @property
    def nearest_ratio(self) -> float:
        """Median distance of samples to the nearest training image, relative to that of reals."""
        return float(self.nearest_training.distances.median()) / self.typical_distance


def judge(reference: Reference, fakes: Tensor, training: Reference | None = None) -> Verdicts:
    """Judge each sample. `training` are the training images if the reference holds other images.

    Shapes: fakes (n, d). Raises MetricsError when all reals are the same image.
    """
    first, second = (half.features[:MOST_POINTS] for half in reference.halves())
    near = neighbours.nearest(fakes, reference.features, K)
    if training:
        nearest = neighbours.nearest(fakes, training.features)
        of_reals = neighbours.nearest(reference.features[:MOST_POINTS], training.features, K)
    else:
        nearest = Nearest(near.distances[:, :1], near.indices[:, :1])
        # Copies are searched among all reals, not among the first ones.
        of_reals = neighbours.nearest_others(reference.features, K, count=MOST_POINTS)
    real = memorisation.summarise(of_reals.distances)
    return Verdicts(
        passes=realism.passes(fakes, first, second),
        is_copy=nearest.distances[:, 0] < real.closest,
        votes=_vote(reference.labels[near.indices]),
        nearest_training=nearest,
        typical_distance=real.typical,
    )


def _vote(labels: Tensor) -> Tensor:
    """Return the class of most of the nearest reals. In a tie, the nearer class wins. Shapes: (n, k); returns (n,)."""
    # Weights fall slowly, so that they only break ties.
    weights = 1 - torch.arange(K).double() / K**2
    sums = (one_hot(labels + 1) * weights[:, None]).sum(dim=1)
    return sums.argmax(dim=1) - 1
