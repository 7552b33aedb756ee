"""Conversion of images between uint8 and the networks' range [-1, 1]. No other module converts."""

import torch
from torch import Tensor


def from_uint8(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Map 0..255 to [-1, 1]. Shapes: (n, c, h, w) in and out."""
    return images.to(dtype).div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Map [-1, 1] to 0..255, rounded to nearest and clipped, on the images' device.

    Shapes: (n, c, h, w) in and out. `to_uint8(from_uint8(x)) == x` for every uint8 value.
    """
    return images.to(torch.float32, copy=True).add_(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
