"""Feature networks: they map images to points, between which every metric measures distances."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.backends import cudnn

from training.errors import MetricsError
from training.metrics import efflite, inception, vgg19

_CPU_BATCH, _GPU_BATCH = 4, 256
"""Batch sizes. On a CPU, the activations of a larger batch do not fit the caches."""


@dataclass(frozen=True)
class Extractor:
    """A feature network and its preprocessing. Only figures of the same extractor are comparable."""

    name: str
    """Name of network and weights."""
    resize: str
    """Name of filter and input size."""
    network: Callable[[Tensor], Tensor]
    """Shapes: maps (n, 3, r, r) uint8 on `device` to (n, d)."""
    device: torch.device

    @torch.inference_mode()
    def __call__(self, images: Tensor, progress: Callable[[int], None] = lambda _: None) -> Tensor:
        """Extract features, in float32 on every device. `progress` receives the number of finished images.

        Shapes: images (n, 3, r, r) uint8 on any device; returns (n, d) float32 on the CPU.
        """
        rows, size = [], _CPU_BATCH if self.device.type == "cpu" else _GPU_BATCH
        # Half precision moved a Frechet distance of 50.6 by 1.9: a figure would depend on the machine.
        with cudnn.flags(enabled=True, allow_tf32=False):
            for start in range(0, len(images), size):
                batch = images[start : start + size].to(self.device)
                # Features leave the GPU at once, because all of them may not fit there.
                rows.append(self.network(batch).float().cpu())
                progress(start + len(batch))
        return torch.cat(rows)


def load(name: str, device: torch.device) -> Extractor:
    """Load a feature network by name. Raises MetricsError when it is unknown or not installed."""
    if name != efflite.NAME:
        raise MetricsError(f"no feature network {name!r}; there is: {efflite.NAME}")
    return Extractor(efflite.NAME, efflite.RESIZE, efflite.load(device), device)


def load_inception(weights: Path, device: torch.device) -> Extractor:
    """Load the network of the original FID. Raises MetricsError as `inception.load` does."""
    return Extractor(inception.NAME, inception.RESIZE, inception.load(weights, device), device)


def load_vgg19(weights: Path, device: torch.device) -> Extractor:
    """Load VGG19 from a file of its weights. Raises MetricsError like `vgg19.load`."""
    return Extractor(vgg19.NAME, vgg19.RESIZE, vgg19.load(weights, device), device)
