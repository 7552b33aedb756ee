"""Style transfer of one picture, from Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image

from models.precision import fastest_dtype
from worker.rendering.engine import choose_device
from worker.style import image_tensors, vgg
from worker.style.gatys import Settings, StyleTransfer


def style_picture(
    picture: Image.Image,
    painting: Image.Image,
    weights: Path | None,
    *,
    strength: float = 1.0,
    settings: Settings | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> Image.Image:
    """Give a picture the style of another; both are RGB, and the result is as large as the first.

    `weights` is VGG19 as safetensors, `strength` from 0 (as it was) to 1, and `watch` hears the steps done and their
    total. Source: Gatys et al. 2016. Raises WeightsError for other weights, DivergedError, torch.OutOfMemoryError.
    """
    place = choose_device(device)
    network = vgg.load(weights, fastest_dtype(place), place)
    transfer = StyleTransfer(network, image_tensors.from_picture(painting).to(place), settings or Settings())
    images = image_tensors.from_picture(picture)[None].to(place)
    total = transfer.steps(*images.shape[2:])

    def goes_on(done: int, _loss: float) -> bool:
        watch(done, total)
        return True

    return image_tensors.to_picture(transfer.apply(images, strength, goes_on)[0].cpu())
