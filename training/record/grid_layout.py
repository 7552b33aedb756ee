"""How many images stand on a sheet, and of which latents: the same ones for all epochs and all runs."""

from math import ceil

from models.registry import Architecture

SEED = 0
MOST_CLASSES = 60
"""A sheet shows so many classes, the first ones."""
_WIDTH, _FEWEST, _MOST = 2048, 6, 12


def columns(architecture: Architecture) -> int:
    """Choose how many images stand in a row: 12, or fewer where images are large."""
    return max(_FEWEST, min(_MOST, _WIDTH // architecture.resolution))


def rows_per_class(architecture: Architecture) -> int:
    """Choose how many rows a class gets, so that a page is about half as high as it is wide, or higher."""
    return ceil(columns(architecture) / 2 / max(1, architecture.classes))
