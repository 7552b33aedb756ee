"""Draws the names of classes on pictures."""

from functools import cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

_SIZE, _INK, _WIDEST = 15, "#333333", 180


def label(number: int, name: str) -> str:
    """Return a caption that the font can draw: the name, shortened in the middle if too long, or the class number."""
    # A font draws all unknown letters with the same shape.
    missing = _shape("\uffff")
    if any(_shape(letter) == missing for letter in set(name)):
        return f"class {number}"
    kept, cut = len(name), name
    while width(cut) > _WIDEST:
        kept -= 1
        cut = f"{name[: -(-kept // 2)].rstrip()}...{name[len(name) - kept // 2 :].lstrip()}"
    return cut


def width(text: str) -> int:
    """Return the width of a caption in pixels."""
    return round(_font().getlength(text))


def draw(picture: ImageDraw.ImageDraw, text: str, right: int, middle: int) -> None:
    """Draw a caption. `right` is its right edge, `middle` its vertical centre."""
    picture.text((right, middle), text, fill=_INK, font=_font(), anchor="rm")


def _shape(letter: str) -> bytes:
    mask = _font().getmask(letter)
    return bytes(str(mask.size), "ascii") + bytes(mask)


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Load matplotlib's font, which covers many alphabets, or else Pillow's, which covers English."""
    try:
        import matplotlib as mpl

        return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", _SIZE)
    except (ImportError, OSError):
        return ImageFont.load_default(_SIZE)
