"""Conversion between Pillow's images and the tensors of style transfer: values in [0, 1], channels first."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def from_picture(picture: Image.Image) -> Tensor:
    """Convert an RGB picture to a tensor. Shape: returns (3, h, w) float32 in [0, 1]."""
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255


def to_uint8(images: Tensor) -> Tensor:
    """Round to uint8 on the CPU. Shapes: (..., 3, h, w), from [0, 1] to 0..255."""
    return (images * 255).round().to(torch.uint8).cpu()


def to_picture(image: Tensor) -> Image.Image:
    """Convert a tensor to an RGB picture. Shape: (3, h, w) in [0, 1]."""
    return Image.fromarray(to_uint8(image).permute(1, 2, 0).numpy())
