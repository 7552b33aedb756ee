"""Conversion of colours to sRGB, from the colour space that an image file declares."""

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

from models import icc_profile as profiles
from models.errors import PixelError
from models.png_chunks import Declarations

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_SRGB_TOLERANCE = 2
"""Largest difference in levels between a profile and sRGB that still counts as sRGB, because of rounding."""
_SRGB_GAMMA = 0.45455
_GAMMA_SLACK = 0.005
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "LAB": "LAB"}


def to_srgb(image: Image.Image, declared: Declarations, background: str = "white") -> Image.Image:
    """Convert 8-bit pixels to RGB in sRGB, with transparent pixels composited on a background colour.

    Returns the image itself if it needs no conversion.
    Raises PixelError for high dynamic range, since there is no standard conversion to sRGB.
    """
    has_transparency = image.has_transparency_data
    profile = _declared_profile(declared)
    if has_transparency and image.mode == "P":
        image = image.convert("RGBA")
    opaque = _convert_to_srgb(image, profile, declared) if profile or image.mode == "LAB" else None
    if not has_transparency:
        return opaque or (image if image.mode == "RGB" else image.convert("RGB"))
    rgba = image.convert("RGBA")
    if opaque is not None:
        # The colour conversion drops transparency, so the alpha channel is put back afterwards.
        alpha = rgba.getchannel("A")
        rgba = opaque.copy()
        rgba.putalpha(alpha)
    return Image.alpha_composite(Image.new("RGBA", rgba.size, background), rgba).convert("RGB")


def _declared_profile(declared: Declarations) -> bytes | None:
    """Return the declared profile, in the order of precedence of the PNG standard; None for sRGB."""
    if declared.cicp is not None:
        if hdr := profiles.hdr_transfer(declared.cicp):
            raise PixelError(f"colours of high dynamic range ({hdr}); convert the file to sRGB first")
        if profiles.is_convertible(declared.cicp):
            return profiles.profile_of_code_points(declared.cicp)
    if declared.profile:
        return declared.profile
    if declared.is_srgb or not (declared.gamma or declared.chromaticities):
        return None
    gamma = declared.gamma or _SRGB_GAMMA
    exponent = None if abs(gamma - _SRGB_GAMMA) < _GAMMA_SLACK else 1 / gamma
    return profiles.profile_of_primaries(declared.chromaticities or profiles.SRGB_PRIMARIES, exponent)


def _convert_to_srgb(image: Image.Image, profile: bytes | None, declared: Declarations) -> Image.Image | None:
    """Convert to sRGB; None if the profile is sRGB, does not fit the image's mode, or is broken."""
    space = _colour_space(profile) if profile else "LAB"
    if space is None:
        declared.remarks.append("a colour profile that cannot be read was ignored")
        return None
    mode = _MODES[space]
    is_grey = image.mode in {"1", "L", "LA"}
    if image.mode == "LAB" and mode != "LAB":
        return _convert_to_srgb(image, None, declared)
    if image.mode != mode and (mode in {"CMYK", "LAB"} or image.mode == "CMYK" or (mode == "L" and not is_grey)):
        declared.remarks.append(f"a colour profile for {space} in a file of {image.mode} was ignored")
        return None
    transform = _srgb_transform(profile, mode)
    return transform.apply(image if image.mode == mode else image.convert(mode)) if transform else None


@lru_cache(maxsize=16)
def _colour_space(profile: bytes) -> str | None:
    from PIL import ImageCms

    try:
        space = str(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space).strip().upper()
    except Exception:  # a broken profile raises many kinds of errors
        return None
    return space if space in _MODES and _is_buildable(profile, _MODES[space]) else None


def _is_buildable(profile: bytes, mode: str) -> bool:
    try:
        _srgb_transform(profile, mode)
    except Exception:  # e.g. a profile without tables for this direction
        return False
    return True


@lru_cache(maxsize=16)
def _srgb_transform(profile: bytes | None, mode: str) -> "ImageCmsTransform | None":
    """Build the conversion to sRGB by perceptual intent; None if it changes nothing. No profile means CIELAB."""
    from PIL import ImageCms

    source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    return None if mode in {"RGB", "L"} and _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: "ImageCmsTransform", mode: str) -> bool:
    # A grid of 9 x 9 x 9 colours, or all 256 greys, is enough to recognise a profile that is sRGB.
    steps = [*range(0, 256, 32), 255]
    colours = (
        [(r, g, b) for r in steps for g in steps for b in steps] if mode == "RGB" else [(v,) * 3 for v in range(256)]
    )
    samples = bytes(value for colour in colours for value in (colour if mode == "RGB" else colour[:1]))
    probe = Image.frombytes(mode, (len(colours), 1), samples)
    converted = transform.apply(probe).tobytes()
    return all(abs(a - b) <= _SRGB_TOLERANCE for a, b in zip(probe.convert("RGB").tobytes(), converted, strict=True))
