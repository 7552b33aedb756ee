"""Hashes of images in tensors."""

import numpy as np
import torch
from torch import Tensor

from models.image_hash import Hashes, image_hashes

_CHUNK = 1024


def hashes(images: Tensor) -> Hashes:
    """Return the hash of each image. Shapes: images (n, 3, r, r) uint8; returns (n,)."""
    chunks = torch.split(images, _CHUNK)
    return np.concatenate([image_hashes(chunk.permute(0, 2, 3, 1).contiguous().numpy()) for chunk in chunks])
