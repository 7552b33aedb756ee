"""Agreement of two rankings."""

from collections.abc import Callable
from statistics import fmean

import torch
from torch import Tensor


def spearman(a: Tensor, b: Tensor) -> float | None:
    """Return the rank correlation; None for fewer than three values. Shapes: (n,) and (n,)."""
    if len(a) < 3:
        return None
    ranks = torch.stack([values.argsort().argsort().double() for values in (a, b)])
    return float(torch.corrcoef(ranks)[0, 1].clamp(-1, 1))


def auc(scores: Tensor, is_positive: Tensor) -> float | None:
    """Return the probability that a positive scores higher than a negative; None if either is missing.

    Shapes: scores (n,), is_positive (n,) bool. Equal scores count half.
    """
    positive, negative = scores[is_positive], scores[~is_positive]
    if not len(positive) or not len(negative):
        return None
    higher = (positive[:, None] > negative).double() + 0.5 * (positive[:, None] == negative).double()
    return float(higher.mean())


def mean_over_classes(
    measure: Callable[[Tensor, Tensor], float | None], a: Tensor, b: Tensor, labels: Tensor, default: float
) -> float:
    """Return the mean of a measure over the classes where it exists, else the default. Shapes: (n,) each."""
    found = (measure(a[labels == label], b[labels == label]) for label in sorted(set(labels.tolist())))
    values = [value for value in found if value is not None]
    return fmean(values) if values else default
