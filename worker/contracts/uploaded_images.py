"""Pictures that people upload: checked before they are decoded, then upright RGB in sRGB, whatever they were."""

from PIL import Image, UnidentifiedImageError

from models.image_decoder import OpenedImage, PixelError, open_image

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 40_000_000
"""Larger ones are refused undecoded: more likely a decompression bomb than a picture."""
_SMOOTH = ("RGB", "RGBA", "L", "LA", "CMYK")
"""Modes that can be resized as they are."""
_DRAFT = 4
"""A large JPEG is decoded at a half, a quarter or an eighth of its size, but at no less than this times the side."""
MIN_SIDE = 16
"""Smaller ones show nothing that could be learnt."""


class PictureError(ValueError):
    """A picture cannot be used, for a reason that its owner can read."""


class UnknownFormatError(PictureError):
    """What was brought is no picture, or in a format that is not read."""


def normalised(data: bytes, side: int) -> Image.Image:
    """Decode a picture and make it upright RGB whose longer side is `side` pixels at most.

    Colours are converted to sRGB. Transparency is laid on white; of an animation the first frame is taken.
    Raises PictureError.
    """
    try:
        with open_image(data, FORMATS) as found:
            _check(found.image)
            picture = _shrunk(found, side)
    except UnidentifiedImageError:
        raise UnknownFormatError(f"not a picture, or none of {', '.join(FORMATS)}") from None
    except PictureError:
        raise
    except PixelError as error:
        raise PictureError(str(error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"more than {MAX_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them raise
        raise PictureError(f"cannot be read ({type(error).__name__}: {error})") from error
    picture.info.pop("icc_profile", None)  # of the numbers before
    if min(picture.size) < MIN_SIDE:
        raise PictureError(f"too narrow: {picture.width} x {picture.height} px when the longer side is {side}")
    return picture


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} x {height} px are more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"{width} x {height} px, but either side wants {MIN_SIDE} at least")


def _shrunk(found: OpenedImage, side: int) -> Image.Image:
    found.image.draft("RGB", (_DRAFT * side, _DRAFT * side))
    small = found.to_8_bits()
    # Made small before its colours are converted, so that no second copy of a large picture is ever held.
    is_smooth = small.mode in _SMOOTH
    small = small if is_smooth else found.to_rgb(small)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return found.turned_upright(found.to_rgb(small) if is_smooth else small).convert(
        "RGB"
    )  # decoded while the file is open
