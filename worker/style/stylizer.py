"""The standard mode in a worker: VGG19, and a cache of the styles of recent jobs."""

import io
from collections.abc import Callable
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from worker.contracts.styles import StyleSpec
from worker.errors import WeightsError
from worker.style import image_tensors
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.portions import OnHalved, Portions
from worker.style.vgg import Vgg19

GROUP_SIZE = 4
"""Images that are optimised together. It is fixed, as a group's shape must not depend on the request, and small."""
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

    def apply(self, images: Tensor, style: StyleSpec, is_wanted: Callable[[], bool]) -> Tensor:
        """Style a group of images. `is_wanted` is called after each step; False stops the optimisation.

        Shapes: (n, 3, h, w) uint8 on the CPU, in and out. Raises WeightsError, DivergedError or StoppedError.
        """
        transfer = self.transfer(style)

        def apply_to_portion(portion: range) -> Tensor:
            batch = images[portion.start : portion.stop].to(self._device).float() / 255
            return image_tensors.to_uint8(transfer.apply(batch, style.strength, lambda *_: is_wanted()))

        return torch.cat(list(self._portions.map(apply_to_portion, range(len(images)))))

    def transfer(self, style: StyleSpec) -> StyleTransfer:
        """Return the style transfer of a style. Raises WeightsError if the job needs other weights of VGG19."""
        if style.weights not in (None, self._weights_sha256):
            raise WeightsError("this worker has other weights of VGG19 than the job was accepted with")
        return self._cached_transfer(style.id, style.steps)

    def _decode(self, png: bytes) -> Tensor:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            return image_tensors.from_picture(picture.convert("RGB")).to(self._device)
