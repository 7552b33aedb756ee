"""One image file becomes one square of pixels, or a reason why it cannot."""

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.errors import DatasetError

MAX_PIXELS = 64_000_000
"""Larger images are set aside undecoded: more likely a decompression bomb than a photo."""
FILTER = "lanczos"
CROP = "centre square"


def decode(data: bytes, size: int) -> NDArray[np.uint8]:
    """Decode an image, turn it upright, crop its centre square, resize with Lanczos, antialiased.

    Transparency is laid on white; of an animation the first frame is taken. Shapes: returns (3, size, size) RGB.
    Raises DatasetError with the reason when the file is unusable.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data)) as image:
                return _square(_checked(image), size)
        except DatasetError:
            raise
        except Exception as error:  # Pillow's decoders raise whatever a broken file makes them raise
            raise DatasetError(f"unreadable ({type(error).__name__}: {error})") from error


def _checked(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DatasetError(f"{width}x{height} pixels, more than {MAX_PIXELS}")
    return image


def _square(image: Image.Image, size: int) -> NDArray[np.uint8]:
    upright = _rgb(ImageOps.exif_transpose(image))
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    box = (left, top, left + side, top + side)
    # Cropped first: resize's own box would let pixels from outside of it bleed in.
    resized = upright.crop(box).resize((size, size), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image, dtype=np.int64).clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
