"""Decodes one image file into one square of pixels, or raises the reason why it cannot."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from models.errors import PixelError
from models.image_decoder import OpenedImage, open_image
from training.dataset.framing import Box, Framing
from training.errors import DatasetError

MAX_PIXELS = 64_000_000
"""Larger images are set aside undecoded, because they are probably decompression bombs."""
MIN_SIDE = 8
"""Narrower images are set aside, because their centre square shows nothing."""
FILTER = "lanczos"
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "DIB")

_DIM = 256 // 8
_DRAFT = 4
"""A large JPEG is decoded at 1/2, 1/4 or 1/8 of its size, but never below this multiple of the target."""


@dataclass(frozen=True)
class SquareImage:
    """A decoded image."""

    pixels: NDArray[np.uint8]
    """RGB, (3, size, size)."""
    side: int
    """Side of the original square, in pixels."""
    cut: float = 0.0
    """Share of the image, or of its box, outside the square."""
    remarks: tuple[str, ...] = ()
    """Assumptions about the file."""
    is_dim: bool = False
    """Whether the pixels use less than 1/8 of their range. Always false for JPEG, which has 8 bits."""


def decode(data: bytes, size: int, framing: Framing = Framing(), box: Box | None = None) -> SquareImage:  # noqa: B008
    """Decode an image to sRGB, crop a square, resize it with antialiased Lanczos, and rotate it upright.

    An animation gives its first frame. Raises DatasetError with the reason when the file is unusable.
    """
    if not data:
        raise DatasetError("an empty file")
    try:
        with open_image(data, FORMATS) as found:
            return _picture(found, size, framing, box)
    except DatasetError:
        raise
    except PixelError as error:
        raise DatasetError(str(error)) from error
    except UnidentifiedImageError:
        raise DatasetError(f"damaged from the start or none of {', '.join(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DatasetError(f"more than {MAX_PIXELS} pixels") from None
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them raise
        raise DatasetError(f"unreadable ({type(error).__name__}: {error})") from error


def check_size(width: int, height: int) -> None:
    """Raise DatasetError for an image that is too large or too narrow."""
    if width * height > MAX_PIXELS:
        raise DatasetError(f"{width}x{height} px, more than {MAX_PIXELS} pixels")
    if min(width, height) < MIN_SIDE:
        raise DatasetError(f"{width}x{height} px is too small; each side must be at least {MIN_SIDE} px")


def _picture(found: OpenedImage, size: int, framing: Framing, box: Box | None) -> SquareImage:
    width, height = found.image.size
    check_size(width, height)
    if framing.fit == "crop" and box is None:
        pixels, side, cut = _centre(found, size, framing), min(width, height), framing.cut(width, height)
    else:
        pixels, side, cut = _framed(found, size, framing, box)
    array = np.ascontiguousarray(np.asarray(pixels).transpose(2, 0, 1))
    return SquareImage(array, side, cut, tuple(found.remarks), is_dim=_is_dim(found, array))


def _is_dim(found: OpenedImage, pixels: NDArray[np.uint8]) -> bool:
    """Return whether pixels use less than 1/8 of their range. A JPEG has 8 bits, so a dark one is only dark."""
    return found.image.format != "JPEG" and int(pixels.max()) - int(pixels.min()) < _DIM


def _centre(found: OpenedImage, size: int, framing: Framing) -> Image.Image:
    """Crop the centre square. It is the same square before and after rotation."""
    found.image.draft(None, (_DRAFT * size, _DRAFT * size))
    whole = found.to_8_bits()
    # Cropped first: resize's own box would let pixels from outside of it bleed in.
    area = framing.square((0, 0, *whole.size))
    part = whole if area == (0, 0, *whole.size) else whole.crop(area)
    square = found.to_rgb(part, framing.background)
    return found.turned_upright(square.resize((size, size), Image.Resampling.LANCZOS))


def _framed(found: OpenedImage, size: int, framing: Framing, box: Box | None) -> tuple[Image.Image, int, float]:
    if found.image.format == "PNG":
        found.image.load()  # its orientation may stand behind the pixels
    width, height = found.image.size[::-1] if found.is_sideways else found.image.size
    area = (0, 0, width, height) if box is None else box.area(width, height)
    left, top, right, bottom = framing.square(area)
    side = max(right - left, bottom - top)
    wanted = -(-_DRAFT * size * min(width, height) // side)
    # A JPEG can be decoded directly at a smaller size.
    found.image.draft(None, (wanted, wanted))
    whole = found.turned_upright(found.to_8_bits())
    scale = whole.width / width
    part = whole.crop((round(left * scale), round(top * scale), round(right * scale), round(bottom * scale)))
    cut = framing.cut(area[2] - area[0], area[3] - area[1])
    return _padded(found.to_rgb(part, framing.background), size, framing), side, cut


def _padded(part: Image.Image, size: int, framing: Framing) -> Image.Image:
    """Resize so that the longer side fits, and centre the result on the background."""
    longer = max(part.size)
    width, height = (max(1, round(size * side / longer)) for side in part.size)
    small = part.resize((width, height), Image.Resampling.LANCZOS)
    if width == height:
        return small
    square = Image.new("RGB", (size, size), framing.background)
    square.paste(small, ((size - width) // 2, (size - height) // 2))
    return square
