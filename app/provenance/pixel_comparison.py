"""Compares the pixels of two images with Pillow. docs/marks.md has the measurements behind the limits."""

import io

from PIL import Image, ImageChops, ImageStat

from app.schemas.verification import PixelDifference

MAX_CLOSE_MEAN = 12
"""Largest mean difference of an image that was only re-encoded or resized."""
MAX_CLOSE_LOCAL = 40
"""Largest mean difference in a cell of such an image."""
_CELL_PIXELS = 8
_FORMATS = ("PNG", "JPEG", "WEBP")


def compare(image: Image.Image, rendered: bytes) -> PixelDifference:
    """Return the difference between an RGB image and an image file of a worker.

    If the sizes differ, the larger image is reduced to the size of the other one.
    """
    with Image.open(io.BytesIO(rendered), formats=_FORMATS) as own:
        original = own.convert("RGB")
    rendered_size, reduced = original.size, image.copy()
    reduced.thumbnail(original.size, Image.Resampling.LANCZOS)
    if reduced.size != original.size:
        original = original.resize(reduced.size, Image.Resampling.LANCZOS)
    difference = ImageChops.difference(reduced, original)
    means = ImageStat.Stat(difference).mean
    return PixelDifference(
        maximum=_highest(difference),
        mean=round(sum(means) / len(means), 2),
        local=_highest(difference.reduce(_CELL_PIXELS)),
        is_resized=image.size != rendered_size,
    )


def is_close(difference: PixelDifference) -> bool:
    """Return whether an image can be a re-encoded or resized copy of the other one."""
    return difference.mean <= MAX_CLOSE_MEAN and difference.local <= MAX_CLOSE_LOCAL


def is_equal(difference: PixelDifference) -> bool:
    """Return whether all pixels are equal, without resizing."""
    return difference.maximum == 0 and not difference.is_resized


def _highest(image: Image.Image) -> int:
    return max(high for _low, high in ImageStat.Stat(image).extrema)
