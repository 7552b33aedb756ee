"""Differentiable augmentation of everything the discriminator sees, so that few images last longer."""

import torch
from torch import Tensor

_SHIFT = 1 / 8
"""Largest translation, as a share of the side."""


def augment(images: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Change colour and position of each image with probability p, one coin per image and transform.

    Shapes: (n, 3, h, w) in and out; gradients flow through. Source: Zhao et al. 2020, DiffAugment.
    """
    if p == 0:
        return images
    for transform in (_brightness, _saturation, _contrast, _translation):
        chosen = _uniform(images, generator) < p
        images = torch.where(chosen, transform(images, generator), images)
    return images


def mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Flip a random half of the images left to right. Shapes: (n, c, h, w) in and out."""
    return torch.where(_uniform(images, generator) < 0.5, images.flip(3), images)


def _uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand((images.shape[0], 1, 1, 1), generator=generator, device=images.device)


def _brightness(images: Tensor, generator: torch.Generator) -> Tensor:
    return images + (_uniform(images, generator) - 0.5).to(images.dtype)


def _saturation(images: Tensor, generator: torch.Generator) -> Tensor:
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * (2 * _uniform(images, generator)).to(images.dtype)


def _contrast(images: Tensor, generator: torch.Generator) -> Tensor:
    level = images.mean((1, 2, 3), keepdim=True)
    return level + (images - level) * (0.5 + _uniform(images, generator)).to(images.dtype)


def _translation(images: Tensor, generator: torch.Generator) -> Tensor:
    n, c, h, w = images.shape
    reach = int(h * _SHIFT)
    padded = torch.nn.functional.pad(images, (reach,) * 4)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n, 1), generator=generator, device=images.device)
    rows = (torch.arange(h, device=images.device) + dy)[:, None, :, None]
    columns = (torch.arange(w, device=images.device) + dx)[:, None, None, :]
    batch = torch.arange(n, device=images.device)[:, None, None, None]
    channel = torch.arange(c, device=images.device)[None, :, None, None]
    return padded[batch, channel, rows, columns]
