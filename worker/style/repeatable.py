"""Operators whose gradients have one order of sums on a GPU. PyTorch's own add in varying order, or need a sort.

The values are those of PyTorch's operators, up to rounding.
"""

from functools import lru_cache

import torch
from torch import Tensor


def enlarge(images: Tensor, shape: tuple[int, int]) -> Tensor:
    """Enlarge images by bilinear interpolation with half-pixel centres. Shapes: (n, c, h, w) in, (n, c, *shape) out."""
    rows, columns = (
        _interpolation(length, target, images.device) for length, target in zip(images.shape[2:], shape, strict=True)
    )
    return rows @ images @ columns.T


def replicate_edges(images: Tensor) -> Tensor:
    """Add a border of one pixel that repeats the edges. Shapes: (n, c, h, w) in, (n, c, h + 2, w + 2) out."""
    images = torch.cat([images[..., :1], images, images[..., -1:]], 3)
    return torch.cat([images[:, :, :1], images, images[:, :, -1:]], 2)


@lru_cache(64)
def _interpolation(length: int, target: int, device: torch.device) -> Tensor:
    """Return the matrix that interpolates a line. Shape: returns (target, length) float32."""
    centres = ((torch.arange(target, dtype=torch.float64) + 0.5) * (length / target) - 0.5).clamp(min=0)
    low = centres.long().clamp(max=length - 1)
    high = (low + 1).clamp(max=length - 1)
    share = centres - low
    places = torch.arange(length)
    matrix = (places == low[:, None]) * (1 - share[:, None]) + (places == high[:, None]) * share[:, None]
    return matrix.float().to(device)
