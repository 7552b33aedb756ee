"""Selects the square part of an image, and the background of a padded square."""

from dataclasses import dataclass
from typing import Literal

from PIL import ImageColor

from training.errors import DatasetError

Fit = Literal["crop", "top", "pad"]
Area = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True)
class Box:
    """The box of an object in an upright image."""

    left: float
    top: float
    right: float
    bottom: float
    label: str | None = None
    """Name of the object."""
    of_width: int = 0
    """Width in pixels of the image that the box refers to; 0 if no scaling is needed."""

    def area(self, width: int, height: int) -> Area:
        """Enlarge the box to a square within the image. Raises DatasetError when the box is empty or outside."""
        scale = width / self.of_width if self.of_width else 1.0
        # Boxes may reach beyond the image; clip them.
        left, right = (min(max(0, round(x * scale)), width) for x in (self.left, self.right))
        top, bottom = (min(max(0, round(y * scale)), height) for y in (self.top, self.bottom))
        if right - left < 1 or bottom - top < 1:
            raise DatasetError(
                f"a box of {self.left:g}, {self.top:g} to {self.right:g}, {self.bottom:g} in {width}x{height} px"
            )
        side = max(right - left, bottom - top)
        left, right = _grown(left, right, side, width)
        top, bottom = _grown(top, bottom, side, height)
        return left, top, right, bottom


@dataclass(frozen=True)
class Framing:
    """How an image, or its box, is fitted into a square."""

    fit: Fit = "crop"
    """`crop` keeps the centre square, `top` the upper square of tall images, `pad` the whole image."""
    background: str = "white"
    """A colour by name or as #rrggbb, for transparency and padding."""
    is_boxed: bool = False

    def __post_init__(self) -> None:
        try:
            ImageColor.getrgb(self.background)
        except ValueError:
            raise DatasetError(f"a background is a colour like white or #8090a0, got {self.background!r}") from None

    @property
    def name(self) -> str:
        """Return the framing in words, for a dataset's description."""
        square = {"crop": "centre square", "top": "top square", "pad": "padded square"}[self.fit]
        on = "" if self.background == "white" and self.fit != "pad" else f" on {self.background}"
        return f"{square}{' of boxes' if self.is_boxed else ''}{on}"

    def square(self, area: Area) -> Area:
        """Return the part of an area to keep: a square, or with `pad` the whole area."""
        left, top, right, bottom = area
        if self.fit == "pad":
            return area
        side = min(right - left, bottom - top)
        left += (right - left - side) // 2
        top += 0 if self.fit == "top" else (bottom - top - side) // 2
        return left, top, left + side, top + side

    def cut(self, width: int, height: int) -> float:
        """Return the share of an area that is cut away."""
        return 0.0 if self.fit == "pad" else 1 - min(width, height) / max(width, height)


def _grown(low: int, high: int, side: int, limit: int) -> tuple[int, int]:
    """Widen a range to `side` around its middle, and shift it into 0 to `limit`."""
    side = min(side, limit)
    start = min(max(0, (low + high - side) // 2), limit - side)
    return start, start + side
