"""Decodes uploaded images: checks them before, and converts them to upright RGB in sRGB."""

from PIL import Image, UnidentifiedImageError

from models.image_decoder import OpenedImage, PixelError, open_image

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 40_000_000
"""Larger images are refused before they are decoded, because they may be decompression bombs."""
_RESIZABLE = ("RGB", "RGBA", "L", "LA", "CMYK")
"""Pillow modes that can be resized without conversion."""
_DRAFT_FACTOR = 4
"""A large JPEG is decoded at 1/2, 1/4 or 1/8 of its size, but not below this multiple of the wanted side."""
MIN_SIDE = 16
"""Smallest side in pixels. Smaller images contain too little texture for a style."""


class PictureError(ValueError):
    """An image cannot be used. The message is a reason that its owner can read."""


class UnknownFormatError(PictureError):
    """The upload is not an image, or its format is not supported."""


def normalise(data: bytes, side: int) -> Image.Image:
    """Decode an image to upright RGB whose longer side has at most `side` pixels.

    Colours are converted to sRGB. Transparent pixels are blended with white. An animation yields its first frame.
    Raises PictureError.
    """
    try:
        with open_image(data, FORMATS) as found:
            _check(found.image)
            image = _decode_small(found, side)
    except UnidentifiedImageError:
        raise UnknownFormatError(f"not an image in one of the formats {', '.join(FORMATS)}") from None
    except PictureError:
        raise
    except PixelError as error:
        raise PictureError(str(error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"more than {MAX_PIXELS:,} pixels") from None
    except Exception as error:  # a broken file can make Pillow's decoders raise any exception
        raise PictureError(f"cannot be read ({type(error).__name__}: {error})") from error
    image.info.pop("icc_profile", None)  # it describes the colours before the conversion to sRGB
    if min(image.size) < MIN_SIDE:
        raise PictureError(f"too narrow: {image.width} x {image.height} px when the longer side is {side}")
    return image


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} x {height} px are more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"{width} x {height} px is too small; each side must be at least {MIN_SIDE} px")


def _decode_small(found: OpenedImage, side: int) -> Image.Image:
    # Lets libjpeg decode a smaller image, which takes less time and memory. Other formats ignore it.
    found.image.draft("RGB", (_DRAFT_FACTOR * side, _DRAFT_FACTOR * side))
    small = found.to_8_bits()
    # Resized before its colours are converted, so that memory never holds two copies of a large image.
    is_resizable = small.mode in _RESIZABLE
    small = small if is_resizable else found.to_rgb(small)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return found.turned_upright(found.to_rgb(small) if is_resizable else small).convert(
        "RGB"
    )  # decoded while the file is open
