"""Images of a generator that a gate is trained, calibrated and judged with. Each use has images of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from models import checkpoint, latents, pixels
from models.inference import InferenceDcgan, for_inference
from models.precision import fastest_dtype
from training.errors import MetricsError

CHUNK = 256
_BATCH = 64
"""Number of images that are drawn at once."""
_SPAN = 1 << 50
"""Number of indices of each use. The first use starts far above the indices of ordinary datasets."""


class Use(IntEnum):
    """The uses of images. The uses never share an index."""

    TRAINING = 1
    CALIBRATION = 2
    JUDGING = 3


class Candidates(NamedTuple):
    """A chunk of images that are not drawn yet. Shapes: grids (n, c, g, g) on the device; labels (n,) int64.

    Labels are zeros for an unconditional model.
    """

    grids: Tensor
    labels: Tensor


@dataclass(frozen=True)
class CandidateSource:
    """A generator as workers run it, and the seed of its candidates."""

    generator: InferenceDcgan
    latent_dim: int
    classes: int
    """0 for an unconditional model."""
    seed: int
    device: torch.device

    @classmethod
    def load(cls, path: Path, seed: int, device: torch.device) -> "CandidateSource":
        """Load the generator of a checkpoint. Raises CheckpointError, or MetricsError if it has no start grids."""
        header, loaded = checkpoint.load_generator(path)
        generator = for_inference(loaded).to(device, fastest_dtype(device)).to(memory_format=torch.channels_last)
        if not isinstance(generator, InferenceDcgan):
            raise MetricsError(
                f"{header.name} has the architecture {header.architecture.name}; "
                "a quality gate reads the start grids of a dcgan; train a model with another recipe, such as flagship"
            )
        return cls(generator, header.latent_dim, len(header.classes), seed, device)

    @torch.inference_mode()
    def grids(self, use: Use, labels: Tensor) -> Iterator[Candidates]:
        """Compute the start grids of one image for each label, a chunk at a time. Shapes: labels (n,) int64."""
        first, dtype = use * _SPAN, fastest_dtype(self.device)
        for start in range(0, len(labels), CHUNK):
            chunk = labels[start : start + CHUNK]
            indices = range(first + start, first + start + len(chunk))
            z = latents.sample(self.latent_dim, self.seed, indices).to(self.device, dtype)
            yield Candidates(self.generator.grids(z, chunk.to(self.device) if self.classes else None), chunk)

    @torch.inference_mode()
    def draw(self, grids: Tensor) -> Tensor:
        """Draw images from their start grids. Shapes: returns (n, 3, r, r) uint8 on the CPU."""
        return torch.cat([pixels.to_uint8(self.generator.images(some)).cpu() for some in torch.split(grids, _BATCH)])


def equal_labels(per_class: int, classes: int) -> Tensor:
    """Return labels that cycle through the classes; zeros for an unconditional model. Shapes: returns (n,) int64."""
    rows = max(1, classes)
    return torch.arange(per_class * rows) % rows
