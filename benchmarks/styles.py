"""`python -m benchmarks.styles PAINTINGS --vgg19 FILE`: styles a model's images after some paintings, with figures.

Renders the first images of a seed, styles them in both modes with their default settings, and writes one picture: two
rows for each painting, standard and distilled, below the unstyled images. The distilled mode learns from other images.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.command import console
from models import registry
from models.precision import fastest_dtype
from worker.contracts.styles import DEFAULT_STEPS
from worker.contracts.uploaded_images import normalise
from worker.rendering.device import choose_device
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel
from worker.style import image_tensors, losses, vgg
from worker.style.distillation import Distillation, with_weights
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.vgg import Vgg19

_SIDE = 128
"""Side of an image on the sheet, in pixels."""
_NAME_WIDTH = 170
_PICTURE_SIDE = 512
_BATCH = 4
_SHOWN = 8
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_HEAD = ("style", "mode", "content", "style loss", "total", "diversity", "s for each image", "s of learning")


def main(
    paintings: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder of pictures.")],
    vgg19: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="VGG19's weights, in safetensors.")],
    out: Annotated[Path, typer.Option(help="The sheet, in the format that its name says.")] = Path("styles.png"),
    model: Annotated[str, typer.Option(help="A checkpoint's file, or the name of a shipped model.")] = "faces-64",
    n: Annotated[int, typer.Option(min=2, max=16, help="How many images are judged; eight are shown.")] = 16,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Of learning.")] = DEFAULT_STEPS["distilled"],
) -> None:
    """Style images, print their figures, and write the sheet."""
    device = choose_device("auto")
    runtime = RenderEngine([registry.find(model)], device)
    loaded = runtime.model(runtime.entries[0])
    images = drawn(loaded, seed, n).to(device)
    network = vgg.load(vgg19, fastest_dtype(device), device)
    rows = {"": images}
    console.print(f"| {' | '.join(_HEAD)} |\n|{' --- |' * len(_HEAD)}")
    console.print(f"| none | | 0 | | | {_diversity(network, images):.3f} | | |")
    for path in sorted(path for path in paintings.iterdir() if path.suffix.lower() in _SUFFIXES):
        picture = image_tensors.from_picture(normalise(path.read_bytes(), _PICTURE_SIDE))
        transfer = StyleTransfer(network, picture.to(device), GatysSettings())
        began = time.perf_counter()
        parts = [transfer.apply(images[k : k + _BATCH], 1.0, lambda _: True) for k in range(0, n, _BATCH)]
        seconds = (time.perf_counter() - began) / n
        rows[path.stem] = torch.cat(parts)
        began = time.perf_counter()
        taught = _taught(loaded, transfer, steps)
        learning = f"{time.perf_counter() - began:.0f}"
        rows[f"{path.stem} distilled"] = drawn(taught, seed, n).to(device)
        modes = (("standard", path.stem, f"{seconds:.2f}", ""), ("distilled", f"{path.stem} distilled", "", learning))
        for mode, row, *times in modes:
            content, style = transfer.losses(images, rows[row])
            total = content + GatysSettings.style_weight * style
            figures = [f"{float(values.mean()):.3f}" for values in (content, style, total)]
            cells = (path.stem, mode, *figures, f"{_diversity(network, rows[row]):.3f}", *times)
            console.print(f"| {' | '.join(cells)} |")
    _sheet({name: row[:_SHOWN] for name, row in rows.items()}).save(out, quality=90)


def _taught(loaded: LoadedModel, transfer: StyleTransfer, steps: int) -> LoadedModel:
    """Distil a style into a copy of the model."""
    threads = len(os.sched_getaffinity(0)) if loaded.device.type == "cpu" else 1
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as executor:
        training = Distillation(loaded, transfer, 1.0, steps, executor)
        while training.progress < 1:
            training.step()
    return with_weights(loaded, training.generator.state_dict())


def drawn(loaded: LoadedModel, seed: int, n: int) -> Tensor:
    """Render images of all classes, alternating. Shape: returns (n, 3, h, w) in [0, 1]."""
    indices = range(loaded.batch_size)
    return loaded.render(loaded.latents(seed, indices), loaded.labels(indices))[:n].float() / 255


def _diversity(network: Vgg19, images: Tensor) -> float:
    """Average the cosine distance between the features (relu4_1) of each two images. Shape: (n, 3, h, w) in [0, 1]."""
    with torch.no_grad():
        large = torch.nn.functional.interpolate(images, scale_factor=2, mode="bilinear")
        found = losses.unit_features(network(large, frozenset({"relu4_1"}))["relu4_1"])
    return float((1 - found @ found.T).sum() / (len(found) * (len(found) - 1)))


def _sheet(rows: dict[str, Tensor]) -> Image.Image:
    columns = max(map(len, rows.values()))
    sheet = Image.new("RGB", (_NAME_WIDTH + columns * _SIDE, len(rows) * _SIDE), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (name, images) in enumerate(rows.items()):
        pen.text((8, row * _SIDE + _SIDE // 2), name.replace("-", "\n", 1), "black", anchor="lm", font_size=14)
        for column, image in enumerate(images):
            enlarged = image_tensors.to_picture(image).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
            sheet.paste(enlarged, (_NAME_WIDTH + column * _SIDE, row * _SIDE))
    return sheet


if __name__ == "__main__":
    typer.run(main)
