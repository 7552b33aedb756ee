"""Means over repetitions with 95% intervals, which cover other draws of the real images and other test images."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.metrics import uncertainty
from training.metrics.uncertainty import Interval

_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
      2.110, 2.101, 2.093)  # fmt: skip
"""Quantiles of Student's t for 95% intervals, with 1 to 19 degrees of freedom."""
_Z = 1.96
FEWEST, MOST = 2, len(_T) + 1
"""Fewest and most repetitions that have an interval."""


@dataclass(frozen=True)
class Accuracy:
    """The balanced accuracy of one kind of training set."""

    mean: float
    draws: Interval
    """95% interval of the mean for other draws of the real images and other initial weights."""
    test: Interval
    """95% interval for other test images. Source: Wilson 1927."""
    each: tuple[float, ...]
    """Accuracy of each repetition."""


@dataclass(frozen=True)
class Difference:
    """The difference of two accuracies, paired over repetitions and over test images."""

    mean: float
    low: float
    high: float
    """95% interval, for other draws and other test images."""

    @property
    def is_gain(self) -> bool:
        """Return whether the interval lies above 0."""
        return self.low > 0

    @property
    def is_loss(self) -> bool:
        """Return whether the interval lies below 0."""
        return self.high < 0


def half_width(values: Sequence[float]) -> float:
    """Return half of the 95% t-interval of the mean of 2 to 20 values."""
    n = len(values)
    mean = sum(values) / n
    variance = sum((value - mean) ** 2 for value in values) / (n - 1)
    quantile: float = _T[n - 2] * (variance / n) ** 0.5
    return quantile


def accuracy(hits: Tensor, labels: Tensor) -> Accuracy:
    """Summarise correct answers as the mean of the classes' accuracies.

    Shapes: hits (repetitions, m) bool; labels (m,), the classes of the test images.
    """
    weights = _class_weights(labels)
    each = tuple((hits.double() @ weights).tolist())
    mean, half = sum(each) / len(each), half_width(each)
    # Unequal classes tell as much as fewer images of equal classes.
    equivalent = round(1 / weights.square().sum().item())
    return Accuracy(mean, (max(0.0, mean - half), min(1.0, mean + half)), uncertainty.share(mean, equivalent), each)


def difference(hits: Tensor, others: Tensor, labels: Tensor) -> Difference:
    """Return by how much `hits` are more accurate than `others`. Row k of both is repetition k.

    The variances over draws and over test images are added, as both are samples of more. This counts their common part
    twice, so the interval is rather too wide. Shapes: hits and others (repetitions, m) bool; labels (m,).
    """
    weights = _class_weights(labels)
    gains = hits.double() - others.double()
    each = (gains @ weights).tolist()
    by_image = gains.mean(0)
    variance = 0.0
    for k, count in enumerate(labels.bincount().tolist()):
        chosen = labels == k
        spread = by_image[chosen].var().item() if count > 1 else 0.0
        variance += weights[chosen].sum().item() ** 2 * spread / max(1, count)
    half = (half_width(each) ** 2 + _Z**2 * variance) ** 0.5
    mean = sum(each) / len(each)
    return Difference(mean, mean - half, mean + half)


def _class_weights(labels: Tensor) -> Tensor:
    """Return weights that sum to 1, and to the same for each class. Shapes: (m,) in and out, float64."""
    counts = labels.bincount()
    present = int((counts > 0).sum())
    return torch.ones(len(labels), dtype=torch.float64) / (present * counts[labels])
