"""Images of a generator that a gate is trained, calibrated and judged with. Each use has images of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training import samples

CHUNK = 256
_SPAN = 1 << 50
"""Number of indices of each use. The first use starts far above the indices of ordinary datasets."""


class Use(IntEnum):
    """The uses of images. The uses never share an index."""

    TRAINING = 1
    CALIBRATION = 2
    JUDGING = 3


class Candidates(NamedTuple):
    """A chunk of images. Shapes: images (n, 3, r, r) uint8, labels (n,) int64, zeros for an unconditional model."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class CandidateSource:
    """A generator in eval mode, and the seed of its candidates."""

    generator: nn.Module
    latent_dim: int
    classes: int
    """0 for an unconditional model."""
    seed: int

    def render(self, use: Use, labels: Tensor) -> Iterator[Candidates]:
        """Render one image for each label, a chunk at a time. Shapes: labels (n,) int64."""
        first = use * _SPAN
        for start in range(0, len(labels), CHUNK):
            chunk = labels[start : start + CHUNK]
            indices = range(first + start, first + start + len(chunk))
            asked = chunk if self.classes else None
            yield Candidates(samples.render(self.generator, self.latent_dim, self.seed, indices, asked), chunk)


def equal_labels(per_class: int, classes: int) -> Tensor:
    """Return labels that cycle through the classes; zeros for an unconditional model. Shapes: returns (n,) int64."""
    rows = max(1, classes)
    return torch.arange(per_class * rows) % rows
