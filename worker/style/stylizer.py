"""The standard mode in a worker: VGG19, and a cache of the styles of recent jobs."""

import io
from collections.abc import Callable
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from worker.contracts.styles import StyleSpec
from worker.errors import WeightsError
from worker.rendering.batches import aligned_blocks
from worker.style import image_tensors
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.portions import OnHalved, Portions
from worker.style.vgg import Vgg19

GROUP_SIZE = 4
"""Images that are optimised together. The number is fixed, and small, so that a single image is soon ready."""
_MAX_CACHED_STYLES = 8
"""Largest number of prepared styles in the cache."""


class Stylizer:
    """Styles batches of images. Thread-safe."""

    def __init__(
        self,
        network: Vgg19,
        device: torch.device,
        read_picture: Callable[[str], bytes],
        on_halved: OnHalved = lambda: None,
    ) -> None:
        self._device = device
        self._weights_sha256 = network.sha256
        self.on_halved = on_halved
        self._portions = Portions(GROUP_SIZE, on_halved)
        self._cached_transfer = lru_cache(_MAX_CACHED_STYLES)(
            lambda style_id, steps: StyleTransfer(
                network, self._decode(read_picture(style_id)), GatysSettings(steps=steps)
            )
        )

    def apply(self, images: Tensor, slots: range, style: StyleSpec, is_wanted: Callable[[], bool]) -> Tensor:
        """Style the images in some slots of a batch. The images in other slots may be styled or not.

        Shapes: (n, 3, h, w) uint8 on the CPU, in and out. Raises DivergedError or StoppedError.
        """
        style_transfer = self.transfer(style)

        def style_portion(portion: range) -> Tensor:
            batch = images[portion.start : portion.stop].to(self._device).float() / 255
            return image_tensors.to_uint8(style_transfer.apply(batch, style.strength, lambda *_: is_wanted()))

        styled = images.clone()
        # Whole groups, even if one image is needed: a group's shape must not depend on the request.
        for block in aligned_blocks(slots, GROUP_SIZE):
            block = range(block.start, min(block.stop, len(images)))
            styled[block.start : block.stop] = torch.cat(list(self._portions.map(style_portion, block)))
        return styled

    def transfer(self, style: StyleSpec) -> StyleTransfer:
        """Return the style transfer of a style. Raises WeightsError if the job needs other weights of VGG19."""
        if style.weights not in (None, self._weights_sha256):
            raise WeightsError("this worker has other weights of VGG19 than the job was accepted with")
        return self._cached_transfer(style.id, style.steps)

    def _decode(self, png: bytes) -> Tensor:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            return image_tensors.from_picture(picture.convert("RGB")).to(self._device)
