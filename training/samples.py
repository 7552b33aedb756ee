"""Renders samples of a generator by address, for grids and for metrics."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models import latents, pixels
from models.precision import fastest_dtype

_BATCH = 64


def render(generator: nn.Module, latent_dim: int, seed: int, indices: Sequence[int], labels: Tensor | None) -> Tensor:
    """Render the images of (seed, index), in the device's fastest precision, as workers do.

    Shapes: labels (n,) int64 or None; returns (n, 3, r, r) uint8 on the CPU.
    """
    return render_latents(generator, latents.sample(latent_dim, seed, indices), labels)


@torch.inference_mode()
def render_latents(generator: nn.Module, z: Tensor, labels: Tensor | None) -> Tensor:
    """Render the images of latents. Shapes: z (n, latent_dim); else as `render`."""
    device = next(generator.parameters()).device
    chunks = []
    # The same precision as in workers, so that figures hold for the images that users get.
    with torch.autocast(device.type, fastest_dtype(device), enabled=fastest_dtype(device) != torch.float32):
        for start in range(0, len(z), _BATCH):
            some = slice(start, start + _BATCH)
            asked = None if labels is None else labels[some].to(device)
            chunks.append(pixels.to_uint8(generator(z[some].to(device), asked).float()).cpu())
    return torch.cat(chunks)
