"""The standard mode in a worker: VGG19, and a cache of the styles of recent jobs."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from threading import Lock

import torch
from PIL import Image
from torch import Tensor

from worker.contracts.styles import StyleSpec
from worker.errors import WeightsError
from worker.rendering.device import call_with_memory
from worker.style import image_tensors
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.vgg import Vgg19

_CPU_GROUP, _GPU_GROUP, _GPU_GROUP_SIDE = 4, 64, 128
"""Images that are optimised together, and the side in pixels up to which a GPU takes so many (about 8 GB of memory)."""
_MAX_CACHED_STYLES = 8
"""Largest number of prepared styles in the cache."""


def styled_together(device: torch.device, threads: int) -> int:
    """Return how many images a worker styles at once: a group in each thread of a CPU, one group on a GPU."""
    return _CPU_GROUP * threads if device.type == "cpu" else _GPU_GROUP


class Stylizer:
    """Styles batches of images. Thread-safe."""

    def __init__(
        self,
        network: Vgg19,
        device: torch.device,
        read_picture: Callable[[str], bytes],
    ) -> None:
        self._device = device
        self._weights_sha256 = network.sha256
        # On a GPU, a second group at once would take memory and no less time.
        self._turn: AbstractContextManager[object] = Lock() if device.type == "cuda" else nullcontext()
        self._cached_transfer = lru_cache(_MAX_CACHED_STYLES)(
            lambda style_id, steps: StyleTransfer(
                network, self._decode(read_picture(style_id)), GatysSettings(steps=steps)
            )
        )

    def apply(self, images: Tensor, style: StyleSpec, is_wanted: Callable[[], bool]) -> Tensor:
        """Style a group of images. `is_wanted` is called between steps; False stops the optimisation.

        Shapes: (n, 3, h, w) uint8 on the CPU, in and out. Raises WeightsError, DivergedError or StoppedError.
        """
        transfer = self.transfer(style)

        def optimise() -> Tensor:
            batch = images.to(self._device).float() / 255
            return image_tensors.to_uint8(transfer.apply(batch, style.strength, lambda _: is_wanted()))

        with self._turn:
            # Smaller groups would be no way out of exhausted memory, since they give other bytes.
            return call_with_memory(optimise)

    def group_size(self, resolution: int) -> int:
        """Return how many images of a model are optimised together: a power of 2.

        It is fixed for a device and a resolution, because the bytes of an image depend on the shape of its group.
        """
        if self._device.type == "cpu":
            return _CPU_GROUP
        images = _GPU_GROUP * _GPU_GROUP_SIDE**2 // max(_GPU_GROUP_SIDE, resolution) ** 2
        return 1 << max(1, images).bit_length() - 1

    def transfer(self, style: StyleSpec) -> StyleTransfer:
        """Return the style transfer of a style. Raises WeightsError if the job needs other weights of VGG19."""
        if style.weights not in (None, self._weights_sha256):
            raise WeightsError("this worker has other weights of VGG19 than the job was accepted with")
        return self._cached_transfer(style.id, style.steps)

    def _decode(self, png: bytes) -> Tensor:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            return image_tensors.from_picture(picture.convert("RGB")).to(self._device)
