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

Hashes = NDArray[np.uint64]


def image_hashes(pixels: NDArray[np.uint8]) -> Hashes:
    """Return the hash of each image. Shapes: pixels (n, h, w, 3); returns (n,)."""
    n, height, width, channels = pixels.shape
    rows, columns = _weights(height, width)
    # One matrix product converts to grey and averages columns; the second one averages rows.
    cells = np.matmul(rows, pixels.reshape(n, height, width * channels).astype(rows.dtype) @ columns)
    bits = cells[:, :, :-1] < cells[:, :, 1:]
    return np.packbits(bits.reshape(n, 64), axis=1).view(">u8").astype(np.uint64).reshape(n)


def close_pairs(hashes: Hashes, bits: int) -> NDArray[np.int64]:
    """Return all pairs of positions whose hashes differ in at most `bits` bits, from 0 to 3.

    Shapes: hashes (n,); returns (pairs, 2), the smaller position first, in ascending order.
    """
    if not 0 <= bits < _BANDS:
        raise ValueError(f"bits must be between 0 and {_BANDS - 1}, got {bits}")
    found = [_pairs_in_band(hashes, band, bits) for band in range(_BANDS)]
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def count_close_pairs(hashes: Hashes, bits: int) -> int:
    """Count the pairs of positions whose hashes differ in at most `bits` bits.

    It compares all pairs, so it needs the same time and little memory even if all hashes are equal: 17 ms for 4 000.
    """
    return sum(
        int(np.count_nonzero(np.bitwise_count(hashes[k + 1 :] ^ value) <= bits)) for k, value in enumerate(hashes)
    )


def _pairs_in_band(hashes: Hashes, band: int, bits: int) -> NDArray[np.int64]:
    """Return the close pairs that agree in one band of 16 bits. Shapes: returns (pairs, 2)."""
    keys = (hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)
    order = np.argsort(keys, kind="stable")
    keys, ordered = keys[order], hashes[order]
    pairs = [np.empty((0, 2), np.int64)]
    # Hashes of one band value are neighbours now: compare each with the next one, the one after it, and so on.
    for step in range(1, len(hashes)):
        first = np.flatnonzero(keys[:-step] == keys[step:])
        if not len(first):
            break
        close = first[np.bitwise_count(ordered[first] ^ ordered[first + step]) <= bits]
        pairs.append(np.stack([order[close], order[close + step]], axis=1))
    return np.concatenate(pairs)


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
