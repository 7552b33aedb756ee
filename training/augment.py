"""Differentiable augmentation of the discriminator's input, so that small datasets overfit later."""

import torch
from torch import Tensor

from training.random_stream import RandomStream

_SHIFT = 1 / 8
"""Largest translation, as a share of the side."""


def augment(images: Tensor, p: float | Tensor, stream: RandomStream) -> Tensor:
    """Change colour and position of each image with probability p, one coin per image and transform.

    Shapes: images (n, 3, h, w), p () if it is a tensor; returns (n, 3, h, w). Gradients flow through.
    Source: Zhao et al. 2020, DiffAugment.
    """
    if not isinstance(p, Tensor) and p == 0:  # reading a tensor would wait for the device
        return images
    for transform in (_brightness, _saturation, _contrast, translate):
        # Both branches are computed for all images, so that the random stream does not depend on the draw.
        chosen = _uniform(images, stream) < p
        images = torch.where(chosen, transform(images, stream), images)
    return images


def mirror(images: Tensor, stream: RandomStream) -> Tensor:
    """Flip a random half of the images left to right. Shapes: (n, c, h, w) in and out."""
    return torch.where(_uniform(images, stream) < 0.5, images.flip(3), images)


def _uniform(images: Tensor, stream: RandomStream) -> Tensor:
    return stream.uniform(len(images), 1, 1, 1)


def _brightness(images: Tensor, stream: RandomStream) -> Tensor:
    return images + (_uniform(images, stream) - 0.5).to(images.dtype)


def _saturation(images: Tensor, stream: RandomStream) -> Tensor:
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * (2 * _uniform(images, stream)).to(images.dtype)


def _contrast(images: Tensor, stream: RandomStream) -> Tensor:
    level = images.mean((1, 2, 3), keepdim=True)
    return level + (images - level) * (0.5 + _uniform(images, stream)).to(images.dtype)


def translate(images: Tensor, stream: RandomStream) -> Tensor:
    """Move each image by up to an eighth of its side; zeros come in at the edges. Shapes: (n, c, h, w) in and out."""
    n, _, h, w = images.shape
    reach = int(h * _SHIFT)
    dy, dx = (stream.integers(2 * reach + 1, n, 2, 1) - reach).flatten(1).unbind(1)
    # Products with shifted unit matrices are exact. The gradient of an advanced index would need a sort on a GPU.
    rows, columns = (_shifts(side, by).to(images.dtype)[:, None] for side, by in ((h, dy), (w, dx)))
    return rows @ images @ columns.mT


def _shifts(side: int, by: Tensor) -> Tensor:
    """Return unit matrices whose diagonal is moved. Shapes: by (n,) int64; returns (n, side, side) bool."""
    places = torch.arange(side, device=by.device)
    return (places[:, None] + by[:, None, None]) == places
