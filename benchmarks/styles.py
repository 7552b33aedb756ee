"""`python -m benchmarks.styles PAINTINGS --vgg19 FILE`: a model's images in the styles of some paintings, with figures.

Draws the first images of a seed, styles them by the standard mode with its default settings, and writes them as one
picture: a row for each painting, under the images as they were.
"""

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.command import console
from models import registry
from models.precision import fastest_dtype
from worker.contracts.pictures import normalised
from worker.runtime import LoadedModel, Runtime, choose_device
from worker.style import pixels, vgg
from worker.style.standard import Settings, StyleTransfer

_SIDE = 128
"""Of an image on the sheet, in pixels."""
_NAME_WIDTH = 170
_PICTURE_SIDE = 512
_BATCH = 4
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def main(
    paintings: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder of pictures.")],
    vgg19: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="VGG19's weights, in safetensors.")],
    out: Annotated[Path, typer.Option(help="The sheet, in the format that its name says.")] = Path("styles.png"),
    model: Annotated[str, typer.Option(help="A checkpoint's file, or the name of a shipped model.")] = "faces-64",
    n: Annotated[int, typer.Option(min=1, max=16, help="How many images.")] = 8,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Style images, print what became of them, and write the sheet."""
    device = choose_device("auto")
    runtime = Runtime([registry.find(model)], device)
    images = _drawn(runtime.model(runtime.entries[0]), seed, n).to(device)
    network = vgg.load(vgg19, fastest_dtype(device), device)
    rows = {"": images}
    console.print("| style | content | style loss | total | s for each image |\n| --- | --- | --- | --- | --- |")
    for path in sorted(path for path in paintings.iterdir() if path.suffix.lower() in _SUFFIXES):
        picture = pixels.from_picture(normalised(path.read_bytes(), _PICTURE_SIDE))
        transfer = StyleTransfer(network, picture.to(device), Settings())
        began = time.perf_counter()
        parts = [transfer.apply(images[k : k + _BATCH], 1.0, lambda *_: True) for k in range(0, n, _BATCH)]
        seconds = (time.perf_counter() - began) / n
        rows[path.stem] = torch.cat(parts)
        content, style = transfer.losses(images, rows[path.stem])
        total = content + Settings.style_weight * style
        figures = (f"{float(values.mean()):.3f}" for values in (content, style, total))
        console.print(f"| {path.stem} | {' | '.join(figures)} | {seconds:.2f} |", markup=False)
    _sheet(rows).save(out, quality=90)


def _drawn(loaded: LoadedModel, seed: int, n: int) -> Tensor:
    """Draw images, the classes in turn. Shape: returns (n, 3, h, w) in [0, 1]."""
    indices = range(loaded.batch_size)
    labels = [index % len(loaded.entry.classes) for index in indices] if loaded.entry.classes else []
    return loaded.render(loaded.latents(seed, indices), labels)[:n].float() / 255


def _sheet(rows: dict[str, Tensor]) -> Image.Image:
    columns = max(map(len, rows.values()))
    sheet = Image.new("RGB", (_NAME_WIDTH + columns * _SIDE, len(rows) * _SIDE), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (name, images) in enumerate(rows.items()):
        pen.text((8, row * _SIDE + _SIDE // 2), name.replace("-", "\n", 1), "black", anchor="lm", font_size=14)
        for column, image in enumerate(images):
            enlarged = pixels.to_picture(image).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
            sheet.paste(enlarged, (_NAME_WIDTH + column * _SIDE, row * _SIDE))
    return sheet


if __name__ == "__main__":
    typer.run(main)
