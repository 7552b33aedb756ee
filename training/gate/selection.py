"""Chooses images at several keep shares from one stream of candidates, as a service does at one of them."""

from collections.abc import Sequence

import torch
from torch import Tensor


class KeptSet:
    """The images that a gate keeps at one share: the first of each class that reach the threshold."""

    def __init__(self, keep: float, quotas: Tensor) -> None:
        self.keep = keep
        self._left = quotas.clone()
        """Number of images of each class that are still missing."""
        self.rows: list[int] = []
        """Numbers of the kept images in the stream."""

    @property
    def is_full(self) -> bool:
        """True if no image is missing."""
        return not self._left.any()

    def take(self, number: int, label: int, score: int) -> bool:
        """Return whether an image of the stream is kept, and count it. The score is per mille."""
        # Compared in integers: 1000 * (1 - 0.9) is not 100 in floating point.
        is_kept = bool(self._left[label]) and score >= 1000 - round(1000 * self.keep)
        if is_kept:
            self._left[label] -= 1
            self.rows.append(number)
        return is_kept


def quotas(labels: Tensor, classes: int) -> Tensor:
    """Count the labels of each class. Shapes: labels (n,); returns (max(1, classes),)."""
    return torch.bincount(labels, minlength=max(1, classes))


def take_chunk(sets: Sequence[KeptSet], first: int, labels: Tensor, scores: Sequence[int]) -> list[int]:
    """Offer a chunk of the stream to all sets. Returns the rows of the chunk that at least one set keeps.

    Image k of the chunk has the number `first` + k in the stream.
    """
    kept = []
    for row, (label, score) in enumerate(zip(labels.tolist(), scores, strict=True)):
        # The sum asks all sets: each of them must see every image.
        if sum(each.take(first + row, label, score) for each in sets):
            kept.append(row)
    return kept
