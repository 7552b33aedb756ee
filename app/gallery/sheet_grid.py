"""The grid of a sheet: how many thumbnails it has, and of which size."""

from typing import NamedTuple

_SMALL, _LARGE = 64, 128
"""Sides of thumbnails in pixels. Models from 128 px on have the large ones."""
SHEET_WIDTH = 1024
"""Width of a sheet in pixels."""


class SheetGrid(NamedTuple):
    """The grid of the sheets of a job."""

    thumbnail: int
    """Side of a thumbnail in pixels."""
    columns: int

    @property
    def images(self) -> int:
        """Number of thumbnails on a full sheet: as many rows as columns."""
        return self.columns**2


def sheet_grid(resolution: int) -> SheetGrid:
    """Return the grid for images of a resolution: 16 x 16 thumbnails of 64 px, or 8 x 8 of 128 px."""
    thumbnail = _SMALL if resolution < _LARGE else _LARGE
    return SheetGrid(thumbnail, SHEET_WIDTH // thumbnail)
