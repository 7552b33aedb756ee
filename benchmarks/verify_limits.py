"""`python -m benchmarks.verify_limits [MODEL]`: how far copies and other images are from an image, by POST /verify.

Each row is a way to change an image, and the difference between n changed images and their originals. The last rows
are images that must not count as copies: other images of the model, and images with a replaced part.
"""

import io
from collections.abc import Callable
from statistics import median
from typing import Annotated

import torch
import typer
from PIL import Image

from app.provenance.pixel_comparison import MAX_CLOSE_LOCAL, MAX_CLOSE_MEAN, compare, is_close
from benchmarks import table
from benchmarks.command import console, run
from models import registry
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel

Change = Callable[[Image.Image, Image.Image], Image.Image]
"""Returns a changed image. The second argument is another image of the model."""

_FILTERS = Image.Resampling
_HEAD = ("change", "mean", "largest mean", "local", "largest local", "close, %")
_SEED = 1


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint, or the name of a shipped model.")] = "faces-64",
    n: Annotated[int, typer.Option(min=2, help="Number of images.")] = 512,
) -> None:
    """Measure all changes, and print a table."""
    images, other_class = _images(model, n)
    others = [*images[n // 2 :], *images[: n // 2]]
    rows = [_row(name, images, others, change) for name, change in _changes().items()]
    rows.append(_row("another image", images, others, lambda _, other: other))
    rows.append(_row("nearest of the images", images, _nearest(images), lambda _, other: other))
    if other_class:
        rows.append(_row("same latent, next class", images, other_class, lambda _, other: other))
    console.print(f"{n} images of {model}; close: mean <= {MAX_CLOSE_MEAN} and local <= {MAX_CLOSE_LOCAL}\n")
    console.print(table.markdown(_HEAD, rows))


def _changes() -> dict[str, Change]:
    changes: dict[str, Change] = {
        f"JPEG, quality {quality}": _encoded("JPEG", quality) for quality in (50, 60, 75, 85, 95)
    }
    changes["WebP, quality 50"] = _encoded("WEBP", 50)
    resamplings = (_FILTERS.NEAREST, _FILTERS.BILINEAR, _FILTERS.BICUBIC, _FILTERS.LANCZOS)
    for factor in (0.5, 0.75, 1.5, 2.0, 4.0):
        for resampling in resamplings:
            changes[f"x {factor:g} {resampling.name.lower()}, JPEG 75"] = _resized(factor, resampling)
    changes["brighter by 10"] = lambda image, _: image.point([min(255, value + 10) for value in range(256)] * 3)
    changes["greyscale"] = lambda image, _: image.convert("L").convert("RGB")
    changes["mirrored"] = lambda image, _: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    changes["a quarter of another image"] = _pasted(16, 32)
    changes["a sixteenth of another image"] = _pasted(24, 16)
    return changes


def _encoded(kind: str, quality: int) -> Change:
    return lambda image, _: _read(_written(image, kind, quality))


def _resized(factor: float, resampling: Image.Resampling) -> Change:
    def change(image: Image.Image, _: Image.Image) -> Image.Image:
        side = round(image.width * factor)
        return _read(_written(image.resize((side, side), resampling), "JPEG", 75))

    return change


def _pasted(start: int, side: int) -> Change:
    def change(image: Image.Image, other: Image.Image) -> Image.Image:
        changed, box = image.copy(), (start, start, start + side, start + side)
        changed.paste(other.crop(box), box)
        return changed

    return change


def _row(name: str, images: list[Image.Image], others: list[Image.Image], change: Change) -> list[str]:
    pairs = zip(images, others, strict=True)
    found = [compare(change(image, other), _written(image, "PNG")) for image, other in pairs]
    means, local = [each.mean for each in found], [each.local for each in found]
    close = 100 * sum(map(is_close, found)) / len(found)
    figures = [f"{median(means):.1f}", f"{max(means):.1f}", f"{median(local):.0f}", f"{max(local):.0f}"]
    return [name, *figures, f"{close:.1f}"]


def _nearest(images: list[Image.Image]) -> list[Image.Image]:
    """Return the nearest other image of each image by the mean difference."""
    pixels = torch.stack([torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8) for image in images]).float()
    distances = torch.cdist(pixels, pixels, p=1).fill_diagonal_(torch.inf)
    return [images[index] for index in distances.argmin(1).tolist()]


def _images(model: str, n: int) -> tuple[list[Image.Image], list[Image.Image]]:
    """Render n images, and the images of the same latents with the next class; none if the model has no classes."""
    engine = RenderEngine([registry.find(model)], torch.device("cpu"))
    loaded, classes = engine.model(engine.entries[0]), len(engine.entries[0].classes)
    labels = [index % classes for index in range(n)] if classes else []
    other = _draw(loaded, n, [(label + 1) % classes for label in labels]) if classes else []
    return _draw(loaded, n, labels), other


def _draw(model: LoadedModel, n: int, labels: list[int]) -> list[Image.Image]:
    step, images = model.batch_size, list[Image.Image]()
    for start in range(0, n, step):
        z = model.latents(_SEED, range(start, start + step))
        row = [*labels[start : start + step], *labels[:1] * step][:step]
        drawn = model.render(z, row, list(range(min(step, n - start))))
        images += [Image.fromarray(image) for image in drawn.permute(0, 2, 3, 1).numpy()]
    return images


def _written(image: Image.Image, kind: str, quality: int = 0) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return file.getvalue()


def _read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


if __name__ == "__main__":
    run(main)
