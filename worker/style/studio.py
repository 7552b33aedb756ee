"""What a worker styles with: the network, and the styles that its jobs have asked for."""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from worker.contracts.styles import StyleSpec
from worker.style.standard import Settings, StyleTransfer
from worker.style.vgg import Vgg19

_BATCH = 4
"""Images that are optimised together: few, so that one does not wait for many, and always as many."""
_STYLES = 8
"""Styles that are kept ready."""


class Studio:
    """Styles batches of images. Called from several threads."""

    def __init__(self, network: Vgg19, device: torch.device, picture: Callable[[str], bytes]) -> None:
        self._device = device
        self._transfer = lru_cache(_STYLES)(
            lambda style_id, steps: StyleTransfer(network, self._pixels(picture(style_id)), Settings(steps=steps))
        )

    def apply(self, images: Tensor, style: StyleSpec, is_wanted: Callable[[], bool]) -> Tensor:
        """Style images. Shapes: (n, 3, h, w) uint8 on the CPU, in and out. Raises DivergedError or StoppedError."""
        transfer = self._transfer(style.id, style.steps)
        found = []
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH].to(self._device).float() / 255
            styled = transfer.apply(batch, style.strength, lambda *_: is_wanted())
            found.append((styled * 255).round().to(torch.uint8).cpu())
        return torch.cat(found).contiguous(memory_format=torch.channels_last)

    def _pixels(self, png: bytes) -> Tensor:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy())
        return pixels.permute(2, 0, 1).to(self._device).float() / 255
