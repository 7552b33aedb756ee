"""The expected size of the files in an archive that describe its dataset: the card, the report and the grid."""

from typing import NamedTuple

from worker.contracts.costs import FileSizes
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import BEST_SCORE


class _TextSizes(NamedTuple):
    """Sizes of the parts of the card and the report, in bytes."""

    base: int
    """All parts that every dataset has, without the names in them."""
    gated: int
    """The parts about a model that has a quality gate, whether or not the job uses it."""
    class_bytes: int
    """The parts about one requested class."""
    selection: int
    selection_class: int
    """The parts about the yield of one class."""
    gate: int
    """The parts about the effect of a quality gate."""
    copies: int
    style: int
    name_repeats: int
    """Number of times that the name of each class is repeated."""


_CARD = _TextSizes(1240, 0, 40, 400, 25, 550, 50, 170, 3)
"""Archives of version 1 to 3 have a card only."""
_CARD_AND_REPORT = _TextSizes(6800, 1000, 176, 420, 46, 1500, 195, 300, 4)
_MAX_CELLS, _MAX_COLUMNS, _CELL_SIDE = 24, 8, 64
"""Size of the grid: its largest number of images, its columns, and the largest side of an image in pixels."""
_IMAGES_PER_CELL = 12
"""A dataset of fewer images has a smaller grid."""
_SEARCHED_IMAGES = 96
"""Number of images at the beginning of a dataset among which those of the grid are found."""


def report_bytes(spec: JobSpec, png_sizes: FileSizes) -> int:
    """Return the size of the files. `png_sizes` are those of the model's images as PNG."""
    sizes, model, selection = _CARD_AND_REPORT if spec.has_report else _CARD, spec.model, spec.selection
    text = sizes.base + 3 * len(model.name) + len(model.data) + 3 * len(model.licence.encode())
    classes = sum(share > 0 for share in spec.class_shares)
    text += sizes.class_bytes * classes + sizes.name_repeats * sum(len(name.encode()) for name in spec.classes)
    text += sizes.gated * (spec.facts is not None and spec.facts.gate is not None)
    text += sizes.style * (spec.style is not None)
    if selection is not None:
        text += sizes.selection + sizes.selection_class * classes
        text += sizes.gate * (selection.keep < BEST_SCORE) + sizes.copies * selection.drops_copies
    return text + (_grid_bytes(spec, png_sizes) if spec.has_report else 0)


def _grid_bytes(spec: JobSpec, png_sizes: FileSizes) -> int:
    """Return the size of the grid, whose images take as many bytes as alone."""
    counts, largest = spec.quotas(), min(spec.n, _SEARCHED_IMAGES)
    shown = [min(count, round(count * largest / spec.n)) for count in counts]
    classes = min(_MAX_CELLS, sum(count > 0 for count in shown)) or 1
    most = min(_MAX_CELLS, spec.n // _IMAGES_PER_CELL) // classes
    most = max(1, most if classes == 1 else min(_MAX_COLUMNS, most))
    cells = [min(count, most) for count in shown]
    pixels = min(1.0, _CELL_SIDE / spec.model.resolution) ** 2
    return round(sum(cell * size for cell, size in zip(cells, png_sizes.mean_bytes, strict=True)) * pixels)
