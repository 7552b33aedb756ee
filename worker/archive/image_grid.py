"""The picture of a dataset: its first images of each class, in one PNG file."""

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store_errors import DamagedError
from worker.rendering import png_encoder

MAX_IMAGES = 24
"""Largest number of images in a grid. A grid of images of 64 px takes about 5 ms and 200 kB."""
_IMAGES_PER_CELL = 12
"""A dataset of fewer images has a smaller grid, so that the grid takes at most a few per cent of the job's time."""
_COLUMNS = 8
_SEARCHED_IMAGES = 4 * MAX_IMAGES
"""Number of images at the beginning of a dataset among which those of the grid are found. It limits the bytes read."""
_MAX_SIDE = 64
"""Largest side of an image in the grid, in pixels. Larger images are reduced."""
_WHITE = 255

ReadRange = Callable[[str, int, int], bytes]
"""Reads a range of a data object: path, start, length."""


class _Found(NamedTuple):
    """One image of the grid."""

    shard: ChosenShard
    row: int
    label: int
    cell: int
    """Position in the grid, row by row."""


def draw_grid(spec: JobSpec, shards: Sequence[ChosenShard], read: ReadRange) -> bytes:
    """Return a PNG with the first images of each class, class by class in the order of their numbers.

    Each class takes equally many cells; a cell without an image is white. Images that are larger than 64 px are
    reduced. Each data object is read once. Raises DamagedError if an image cannot be read.
    """
    found, columns = _arrange(_first_images(spec, shards))
    side, rows = _side(spec), -(-(1 + max(each.cell for each in found)) // columns)
    grid = np.full((rows, columns, side, side, 3), _WHITE, np.uint8)
    for shard in shards:
        for cell, pixels in _read_images(spec, [each for each in found if each.shard is shard], read):
            grid[divmod(cell, columns)] = pixels
    return png_encoder.encode(grid.swapaxes(1, 2).reshape(1, rows * side, columns * side, 3))[0]


def _first_images(spec: JobSpec, shards: Sequence[ChosenShard]) -> list[list[tuple[ChosenShard, int]]]:
    """Return the first images of each class that is there: their shards and rows."""
    images = list(islice(((shard, index, row) for shard in shards for index, row in shard.images()), _SEARCHED_IMAGES))
    labels = spec.labels(index for _, index, _ in images) or [0] * len(images)
    by_class: dict[int, list[tuple[ChosenShard, int]]] = {label: [] for label in sorted(set(labels))[:MAX_IMAGES]}
    most = min(MAX_IMAGES, spec.n // _IMAGES_PER_CELL) // len(by_class)
    most = max(1, most if len(by_class) == 1 else min(_COLUMNS, most))
    for (shard, _, row), label in zip(images, labels, strict=True):
        if label in by_class and len(by_class[label]) < most:
            by_class[label].append((shard, row))
    return list(by_class.values())


def _arrange(classes: Sequence[Sequence[tuple[ChosenShard, int]]]) -> tuple[list[_Found], int]:
    """Return the images with their cells, and the number of columns. A class is broken by no end of a row."""
    width = max(map(len, classes))
    columns = min(_COLUMNS, width) if width >= _COLUMNS else width * min(_COLUMNS // width, len(classes))
    return [
        _Found(shard, row, number, number * width + position)
        for number, images in enumerate(classes)
        for position, (shard, row) in enumerate(images)
    ], columns


def _read_images(spec: JobSpec, found: Sequence[_Found], read: ReadRange) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield the cells and the pixels of images of one shard. One read covers all of them."""
    if not found:
        return
    index = found[0].shard.index
    table, rows = index.images, [each.row for each in found]
    start = table.offsets[min(rows)]
    data = read(index.data, start, table.end(max(rows)) - start)
    for each in found:
        position, size = table.offsets[each.row] - start, table.sizes[each.row]
        image = data[position : position + size]
        if zlib.crc32(image) != table.crc32s[each.row]:
            raise DamagedError(f"an image in {index.data} has a wrong checksum")
        yield each.cell, _pixels(spec, image)


def _pixels(spec: JobSpec, image: bytes) -> NDArray[np.uint8]:
    """Decode one image. Shapes: returns (side, side, 3)."""
    resolution, side = spec.model.resolution, _side(spec)
    if spec.format == "npz":
        picture = Image.frombytes("RGB", (resolution, resolution), image)
    else:
        picture = Image.open(io.BytesIO(image)).convert("RGB")
    if side < resolution:
        picture = picture.resize((side, side), Image.Resampling.BOX)
    return np.asarray(picture)


def _side(spec: JobSpec) -> int:
    return min(spec.model.resolution, _MAX_SIDE)
