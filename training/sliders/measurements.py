"""Measures the pixels of images, for sliders. Pure."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE = 16
"""Side of the reduced images from which principal components are computed, in pixels."""
_BORDER = 10
"""The border is a tenth of the side wide."""
_LUMA = (0.299, 0.587, 0.114)
"""Weights of the colours. Source: ITU-R BT.601, section 2.5.1."""


def measure(images: Tensor) -> Mapping[str, Tensor]:
    """Return measurements of images by their names. Shapes: images (n, 3, h, w) in [0, 1]; returns (n,) each."""
    red, green, blue = images.unbind(1)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    height, width = luma.shape[1:]
    down, across = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None, :]
    middle = luma[:, height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return {
        "brightness": luma.mean((1, 2)),
        "contrast": luma.flatten(1).std(1),
        "colour": (images.amax(1) - images.amin(1)).mean((1, 2)),
        "warmth": (red - blue).mean((1, 2)),
        "background light": luma[:, _is_border(height, width)].mean(1),
        "centre light": middle.mean((1, 2)),
        "light from left": (luma * -across).mean((1, 2)),
        "light from above": (luma * -down).mean((1, 2)),
        "sharpness": (luma[:, 1:, 1:] - luma[:, :-1, 1:]).abs().mean((1, 2)),
    }


def corner_luma(images: Tensor) -> Tensor:
    """Return the mean luma of the four corners. Shapes: images (n, 3, h, w) in [0, 1]; returns (n,).

    Objects often touch the border, and seldom the corners, so these show the background.
    """
    thick = max(1, images.shape[3] // _BORDER)
    rows = torch.cat([images[:, :, :thick], images[:, :, -thick:]], 2)
    corners = torch.cat([rows[..., :thick], rows[..., -thick:]], 3)
    return (corners.mean((2, 3)) * torch.tensor(_LUMA)).sum(1)


def reduce(images: Tensor) -> Tensor:
    """Reduce images to small ones. Shapes: (n, 3, h, w); returns (n, 3 * SIDE * SIDE)."""
    return adaptive_avg_pool2d(images, SIDE).flatten(1)


def _is_border(height: int, width: int) -> Tensor:
    """Return a mask of the left, right and upper border, without the lower one, where many objects stand."""
    mask, thick = torch.zeros(height, width, dtype=torch.bool), max(1, width // _BORDER)
    mask[:thick] = mask[:, :thick] = mask[:, -thick:] = True
    return mask
