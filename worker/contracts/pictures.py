"""Pictures that people bring: checked before they are decoded, then upright RGB, whatever they were."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 64_000_000
"""Larger ones are refused undecoded: more likely a decompression bomb than a picture."""
MIN_SIDE = 16
"""Smaller ones show nothing that could be learnt."""


class PictureError(ValueError):
    """A picture cannot be used, for a reason that its owner can read."""


def normalised(data: bytes, side: int) -> Image.Image:
    """Decode a picture and make it upright RGB whose longer side is `side` pixels at most.

    Transparency is laid on white; of an animation the first frame is taken. Raises PictureError.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check(image)
            image.draft("RGB", (2 * side, 2 * side))
            picture = _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise PictureError(f"not a picture, or none of {', '.join(FORMATS)}") from None
    except PictureError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them raise
        raise PictureError(f"cannot be read ({type(error).__name__}: {error})") from error
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} x {height} px are more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"{width} x {height} px, but either side wants {MIN_SIDE} at least")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
