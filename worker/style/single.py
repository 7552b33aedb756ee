"""Style transfer of one picture, for Python programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image

from models.precision import fastest_dtype
from worker.rendering.device import choose_device
from worker.style import image_tensors, vgg
from worker.style.gatys import GatysSettings, StyleTransfer


def style_picture(
    picture: Image.Image,
    painting: Image.Image,
    weights: Path | None,
    *,
    strength: float = 1.0,
    settings: GatysSettings | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> Image.Image:
    """Transfer the style of `painting` to `picture`. Both are RGB; the result has the size of `picture`.

    `weights` is a safetensors file with VGG19. `strength` is from 0 (unchanged) to 1.
    `watch` is called after each step, on a GPU after every tenth, with the steps done and their total.
    Source: Gatys et al. 2016. Raises WeightsError for other weights, DivergedError, torch.OutOfMemoryError.
    """
    torch_device = choose_device(device)
    network = vgg.load(weights, fastest_dtype(torch_device), torch_device)
    transfer = StyleTransfer(
        network, image_tensors.from_picture(painting).to(torch_device), settings or GatysSettings()
    )
    images = image_tensors.from_picture(picture)[None].to(torch_device)
    total = transfer.steps(*images.shape[2:])

    def report_step(done: int) -> bool:
        watch(done, total)
        return True

    return image_tensors.to_picture(transfer.apply(images, strength, report_step)[0].cpu())
