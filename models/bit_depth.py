"""Conversion of samples of any width to 8 bits, by the range that their file declares."""

from typing import Any

from PIL import Image, ImageChops

from models.errors import PixelError
from models.png_chunks import Declarations

Tags = dict[int, Any]

_BITS, _PHOTOMETRIC, _MAX_SAMPLE, _COLOUR_MAP, _FORMAT, _SMIN, _SMAX = 258, 262, 281, 320, 339, 340, 341
"""Tags of TIFF 6.0. 281 is MaxSampleValue; the last two are SMinSampleValue and SMaxSampleValue."""
_SIGNED = 2
_WHITE_IS_ZERO = 0
_COLOURS = ("L", "LA", "RGB", "RGBA")


def to_8_bits(image: Image.Image, declared: Declarations) -> Image.Image:
    """Scale samples to 8 bits, by the values for black and white that the file declares.

    Raises PixelError when black and white are unknown.
    """
    tags: Tags = getattr(image, "tag_v2", {})
    if image.mode.startswith(("I", "F")):
        return _grey_to_8_bits(image, tags, declared)
    if image.mode == "P" and tags:
        return _keep_8_bit_palette(image, tags)
    if tags and image.mode == "L" and _first_value(tags, _FORMAT, 1) == _SIGNED:
        return _signed_to_unsigned(image)
    bits = declared.bits or 8
    if image.mode == "P" and bits < 8:
        return _stretch_palette(image, bits)
    return _stretch(image, bits) if bits < 8 and declared.depth == 8 and image.mode in _COLOURS else image


def is_deep_colour(image: Image.Image, declared: Declarations) -> bool:
    """Return whether a file of 16-bit colours declares fewer bits, so that its low bytes may hold the values."""
    return declared.depth == 16 and 8 <= (declared.bits or 16) < 16 and image.mode in {"RGB", "RGBA"}


def join_bytes(high: Image.Image, low: Image.Image, bits: int) -> Image.Image:
    """Convert 16-bit colours to 8 bits from their high and low bytes.

    If the values occupy the lowest `bits`, both bytes are combined; otherwise the high bytes are the result.
    """
    maximum = max(value for band in high.split()[:3] for value in band.getextrema())
    if maximum >= 2 ** (bits - 8) or not _has_low_end_values(b"".join(b.tobytes() for b in low.split()[:3]), 16 - bits):
        return high
    scale, shift = 2 ** (16 - bits), bits - 8
    bands = [
        ImageChops.add(h.point(lambda value: value * scale), lo.point([value >> shift for value in range(256)]))
        for h, lo in zip(high.split()[:3], low.split()[:3], strict=True)
    ]
    return Image.merge(high.mode, [*bands, *high.split()[3:]])


def _grey_to_8_bits(image: Image.Image, tags: Tags, declared: Declarations) -> Image.Image:
    numbers = image if image.mode in {"I", "F"} else image.convert("I")
    grey = _scale_to_8_bits(numbers, *_black_and_white(image, numbers, tags, declared))
    inverted = bool(tags) and _first_value(tags, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO
    return ImageChops.invert(grey) if inverted else grey


def _black_and_white(
    image: Image.Image, numbers: Image.Image, tags: Tags, declared: Declarations
) -> tuple[float, float]:
    """Return the values of black and white: by declared limits first, then by declared bits."""
    bits = int(_first_value(tags, _BITS, 16))
    if _SMIN in tags and _SMAX in tags and (image.mode == "F" or bits == 32):
        return float(_first_value(tags, _SMIN, 0)), float(_first_value(tags, _SMAX, 1))
    if image.mode == "F":
        raise PixelError("floating-point pixels without a declared value for white")
    low, high = _extrema(numbers)
    if not tags:
        is_low = 8 <= (declared.bits or 16) < 16 and high < 2 ** (declared.bits or 16)
        is_low = is_low and _has_low_end_values(image.tobytes("raw", "I;16")[::2], 16 - (declared.bits or 16))
        return 0, 2 ** ((declared.bits if is_low else None) or 16) - 1
    if bits == 32:
        return _black_and_white_of_32_bits(low, high, declared)
    is_signed = _first_value(tags, _FORMAT, 1) == _SIGNED
    white = 2 ** (bits - is_signed) - 1
    return (-(2 ** (bits - 1)), white) if low < 0 else (0, _declared_maximum(tags, high) or white)


def _declared_maximum(tags: Tags, high: float) -> float | None:
    """Return a declared maximum of the form 2^bits - 1, e.g. 4095; other maxima are statistics of one image."""
    limits = (int(_first_value(tags, tag, 0)) for tag in (_MAX_SAMPLE, _SMAX))
    return next((limit for limit in limits if limit >= max(high, 255) and limit & (limit + 1) == 0), None)


def _black_and_white_of_32_bits(low: float, high: float, declared: Declarations) -> tuple[float, float]:
    """Return black and white of 32-bit numbers without limits: the smallest of 8, 16 or 31 bits that holds them."""
    bits = next(bits for bits in (8, 16, 31) if max(high, -low - 1) < 2**bits)
    declared.remarks.append(f"32-bit numbers without a declared range were read as numbers of {bits} bits")
    return (0 if low >= 0 else -(2**bits)), 2**bits - 1


def _has_low_end_values(low_bytes: bytes, unused: int) -> bool:
    """Return whether samples hold their significant bits at the low end, against the PNG standard.

    By the standard, samples are scaled to the full depth, and small ones end in `unused` zero bits.
    """
    return any(value % 2**unused for value in set(low_bytes))


def _scale_to_8_bits(image: Image.Image, black: float, white: float) -> Image.Image:
    if not white > black:
        raise PixelError(f"declares {black} as black and {white} as white")
    # Integers are truncated, as Pillow converts 16 bits to 8; floating-point samples are rounded.
    scale, offset = (255 / (white - black), 0.5) if image.mode == "F" else (256 / (white - black + 1), 0.0)
    offset -= black * scale
    scaled = image.point(lambda value: value * scale + offset)
    return (scaled.convert("I") if image.mode == "F" else scaled).convert("L")


def _signed_to_unsigned(image: Image.Image) -> Image.Image:
    # Two's complement to offset binary. An image without negative values uses the positive half only: stretch it.
    shifted = image.point([(value + 128) % 256 for value in range(256)])
    if shifted.getextrema()[0] < 128:  # type: ignore[operator]
        return shifted
    return shifted.point([max(0, value - 128) * 2 for value in range(256)])


def _keep_8_bit_palette(image: Image.Image, tags: Tags) -> Image.Image:
    """Use a TIFF palette unscaled if its 16-bit colours are all below 256, as some programs write them."""
    colours = tags.get(_COLOUR_MAP, ())
    if colours and max(colours) < 256:
        count = len(colours) // 3
        image.putpalette([colours[channel * count + k] for k in range(count) for channel in range(3)])
    return image


def _stretch_palette(image: Image.Image, bits: int) -> Image.Image:
    colours = bytes(image.getpalette() or ())
    if max(colours, default=255) < 2**bits and _has_low_end_values(colours, 8 - bits):
        image.putpalette([value * 255 // (2**bits - 1) for value in colours])
    return image


def _stretch(image: Image.Image, bits: int) -> Image.Image:
    bands = image.split()
    colours = bands[:1] if image.mode in {"L", "LA"} else bands[:3]
    used = bytes({value for band in colours for value, count in enumerate(band.histogram()) if count})
    if max(used) >= 2**bits or not _has_low_end_values(used, 8 - bits):
        return image
    table = [min(255, value * 255 // (2**bits - 1)) for value in range(256)]
    return Image.merge(image.mode, [*(band.point(table) for band in colours), *bands[len(colours) :]])


def _extrema(image: Image.Image) -> tuple[float, float]:
    low, high = image.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]


def _first_value(tags: Tags, tag: int, default: float) -> float:
    value = tags.get(tag, default)
    return float(value[0] if isinstance(value, tuple) else value)
