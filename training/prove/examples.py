"""Inputs of a classifier, each with its class."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Examples:
    """Images, or their features, with class labels. Shapes: inputs (n, ...), labels (n,) int64 in 0 to classes - 1."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> "Examples":
        """Return some of the examples. Shapes: rows (k,) int64 positions."""
        return Examples(self.inputs[rows], self.labels[rows])

    def shuffle_labels(self, seed: int) -> "Examples":
        """Return the same inputs with the labels in random order. The classes keep their sizes."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return Examples(self.inputs, self.labels[order])

    def counts(self, classes: int) -> list[int]:
        """Return the number of examples of each class."""
        counts: list[int] = self.labels.bincount(minlength=classes).tolist()
        return counts


def shuffled_by_class(labels: Tensor, classes: int, seed: int) -> Sequence[Tensor]:
    """Return the positions of each class, in random order. Shapes: labels (n,); one int64 tensor for each class."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    return [order[labels[order] == k] for k in range(classes)]
