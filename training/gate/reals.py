"""The real images of a gate: one part teaches, the other part judges, and no image is in both."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from models.image_hash import Hashes, count_close_pairs
from training.dataset.dataset_files import Dataset
from training.errors import MetricsError
from training.metrics import reference
from training.metrics.features import Extractor
from training.metrics.neighbours import K
from training.metrics.reference import Reference

_MOST_JUDGES, _MOST_TEACHERS = 2000, 10_000
_JUDGING_SHARE = 1 / 3
"""Largest share of the dataset that judges, if it has no held-out images."""
LEAST_JUDGES = 4 * (K + 1)
_CLOSE_BITS = 3
"""Two images are close if their hashes differ in at most so many bits."""


class RealParts(NamedTuple):
    """Real images in two parts."""

    teachers: Tensor
    """Features of the images that teach. Shape: (n, d)."""
    judges: Tensor
    """Images that judge. Shape: (m, 3, r, r) uint8."""
    judge_features: Tensor
    """Features of the images that judge. Shape: (m, d)."""
    judge_labels: Tensor
    """Labels of the images that judge, -1 for no label. Shape: (m,)."""


def split(
    dataset: Dataset, known: Reference, extractor: Extractor, progress: Callable[[int], None] = lambda _: None
) -> RealParts:
    """Split the real images. Held-out images judge if the dataset has any, else a random part of the training images.

    `known` has the features of the training images. Raises MetricsError if too few images could judge.
    """
    if dataset.held_out is not None:
        images, labels = dataset.held_out.images[:_MOST_JUDGES], dataset.held_out.labels[:_MOST_JUDGES]
        parts = RealParts(known.features[:_MOST_TEACHERS], images, extractor(images, progress), labels)
    else:
        count = min(_MOST_JUDGES, int(len(known.features) * _JUDGING_SHARE))
        order = reference.shuffled_order(len(known.features))
        images, teachers = dataset.images[order[:count]], known.features[count : count + _MOST_TEACHERS]
        parts = RealParts(teachers, images, known.features[:count], known.labels[:count])
    least = min(len(parts.judges), len(parts.teachers))
    if least < LEAST_JUDGES:
        raise MetricsError(f"{least} real images are too few to judge a gate; at least {LEAST_JUDGES} are needed")
    return parts


def close_share(found: Hashes) -> float:
    """Return the share of all pairs of images that are close."""
    pairs = len(found) * (len(found) - 1) // 2
    return count_close_pairs(found, _CLOSE_BITS) / pairs if pairs else 0.0


def class_counts(labels: Tensor, classes: int) -> tuple[int, ...]:
    """Count the images of each class, or all images for an unconditional model. Shapes: labels (n,)."""
    return tuple(int((labels == label).sum()) for label in range(classes)) if classes else (len(labels),)
