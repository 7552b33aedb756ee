"""Number and latents of the images on a contact sheet. They are the same for all epochs and all runs."""

from math import ceil

from models.registry import Architecture

SEED = 0
MOST_CLASSES = 60
"""A sheet shows at most this many classes, the first ones."""
_WIDTH, _FEWEST, _MOST = 2048, 6, 12


def columns(architecture: Architecture) -> int:
    """Return the number of images in a row: 12, or fewer for large images."""
    return max(_FEWEST, min(_MOST, _WIDTH // architecture.resolution))


def rows_per_class(architecture: Architecture) -> int:
    """Return the number of rows per class, so that a page is at least half as high as wide."""
    return ceil(columns(architecture) / 2 / max(1, architecture.classes))
