"""One image file becomes one square of pixels, or a reason why it cannot."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from training.errors import DatasetError

MAX_PIXELS = 64_000_000
"""Larger images are set aside undecoded: more likely a decompression bomb than a photo."""
MIN_SIDE = 8
"""Narrower images are set aside: their centre square shows nothing."""
FILTER = "lanczos"
CROP = "centre square"

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
_DRAFT = 4
"""A large JPEG is decoded at a half, a quarter or an eighth of its size, but at no less than this times the target."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Picture:
    """A decoded image."""

    pixels: NDArray[np.uint8]
    """RGB, (3, size, size)."""
    side: int
    """Of the square that it was made from, in pixels."""


def decode(data: bytes, size: int) -> Picture:
    """Decode an image, crop its centre square, resize with Lanczos, antialiased, and turn it upright.

    Transparency is laid on white; of an animation the first frame is taken.
    Raises DatasetError with the reason when the file is unusable.
    """
    if not data:
        raise DatasetError("an empty file")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            side = _checked_side(image)
            image.draft(None, (_DRAFT * size, _DRAFT * size))
            return Picture(_square(image, size), side)
    except DatasetError:
        raise
    except UnidentifiedImageError:
        raise DatasetError(f"damaged from the start or none of {', '.join(_FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DatasetError(f"more than {MAX_PIXELS} pixels") from None
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them raise
        raise DatasetError(f"unreadable ({type(error).__name__}: {error})") from error


def _checked_side(image: Image.Image) -> int:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DatasetError(f"{width}x{height} px, more than {MAX_PIXELS} pixels")
    if min(width, height) < MIN_SIDE:
        raise DatasetError(f"{width}x{height} px, either side wants at least {MIN_SIDE}")
    return min(width, height)


def _square(image: Image.Image, size: int) -> NDArray[np.uint8]:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped first: resize's own box would let pixels from outside of it bleed in.
    square = _rgb(image.crop((left, top, left + side, top + side)))
    resized = _upright(square.resize((size, size), Image.Resampling.LANCZOS), _orientation(image))
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise DatasetError("floating-point pixels, of which nobody says what is white")
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image, dtype=np.int64).clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # broken metadata around good pixels
        return 1
