"""A 64-bit hash of an image's coarse structure. Similar images have hashes that differ in few bits.

Source: the difference hash (dHash): the image is averaged into 8 rows of 9 grey cells; each bit says whether a cell is
darker than its right neighbour. All sums are exact integers, so every machine computes the same hash.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_ROWS, _COLUMNS = 8, 9
_GREY_WEIGHTS = (1, 2, 1)
"""Integer weights of red, green and blue. Integers keep all sums exact."""
_EXACT_IN_FLOAT32 = 1 << 24
"""Integers up to this value are exact in float32."""
_BANDS = 4
"""Two hashes that differ in fewer bits than this agree in at least one of as many bands of 16 bits."""
_ROWS_AT_ONCE = 256
"""Number of hashes that are compared with all known ones at a time. It limits the memory."""

Hashes = NDArray[np.uint64]


def image_hashes(pixels: NDArray[np.uint8]) -> Hashes:
    """Return the hash of each image. Shapes: pixels (n, h, w, 3); returns (n,)."""
    n, height, width, channels = pixels.shape
    rows, columns = _weights(height, width)
    # One matrix product converts to grey and averages columns; the second one averages rows.
    cells = np.matmul(rows, pixels.reshape(n, height, width * channels).astype(rows.dtype) @ columns)
    bits = cells[:, :, :-1] < cells[:, :, 1:]
    return np.packbits(bits.reshape(n, 64), axis=1).view(">u8").astype(np.uint64).reshape(n)


def count_close_pairs(hashes: Hashes, bits: int) -> int:
    """Count the pairs of positions whose hashes differ in at most `bits` bits, from 0 to 3."""
    if not 0 <= bits < _BANDS:
        raise ValueError(f"bits must be between 0 and {_BANDS - 1}, got {bits}")
    # Equal hashes are compared once, so that a collapsed model costs no more time than others.
    distinct, counts = np.unique(hashes, return_counts=True)
    equal = int((counts * (counts - 1) // 2).sum())
    return equal + sum(_count_in_band(distinct, counts, band, bits) for band in range(_BANDS))


def count_near(hashes: Hashes, known: Hashes, bits: int) -> NDArray[np.int64]:
    """Count for each hash the known hashes that differ in at most `bits` bits. Shapes: (n,) and (m,); returns (n,)."""
    found = np.zeros(len(hashes), np.int64)
    for start in range(0, len(hashes), _ROWS_AT_ONCE):
        differences = hashes[start : start + _ROWS_AT_ONCE, None] ^ known[None]
        found[start : start + _ROWS_AT_ONCE] = (np.bitwise_count(differences) <= bits).sum(axis=1)
    return found


def _count_in_band(distinct: Hashes, counts: NDArray[np.int64], band: int, bits: int) -> int:
    """Count the close pairs that agree in one band of 16 bits, and in none of the bands before."""
    keys = _band(distinct, band)
    order = np.argsort(keys, kind="stable")
    keys, distinct, counts, found = keys[order], distinct[order], counts[order], 0
    # Hashes of one band value are neighbours now: compare each with the next one, the one after it, and so on.
    for step in range(1, len(distinct)):
        first = np.flatnonzero(keys[:-step] == keys[step:])
        if not len(first):
            break
        differences = distinct[first] ^ distinct[first + step]
        close = np.bitwise_count(differences) <= bits
        for earlier in range(band):
            close &= _band(differences, earlier) != 0
        found += int((counts[first[close]] * counts[first[close] + step]).sum())
    return found


def _band(hashes: Hashes, band: int) -> Hashes:
    return (hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)


@cache
def _weights(height: int, width: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the matrices that average rows and columns. Shapes: (8, height) and (3 * width, 9)."""
    largest = 255 * sum(_GREY_WEIGHTS) * width * height  # a cell is at most one ninth of it, times 9 and 8
    dtype = np.float32 if largest < _EXACT_IN_FLOAT32 else np.float64
    grey = np.asarray(_GREY_WEIGHTS)
    columns = np.concatenate([np.outer(grey, shares) for shares in _shares(width, _COLUMNS)])
    return _shares(height, _ROWS).T.astype(dtype), columns.astype(dtype)


def _shares(length: int, cells: int) -> NDArray[np.int64]:
    """Return how much of each pixel lies in each cell, in units of 1 / cells pixel. Shapes: returns (length, cells)."""
    pixel, cell = np.arange(length)[:, None] * cells, np.arange(cells)[None] * length
    overlap: NDArray[np.int64] = np.minimum(pixel + cells, cell + length) - np.maximum(pixel, cell)
    return overlap.clip(min=0)
