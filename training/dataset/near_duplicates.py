"""Groups of images that show nearly the same: pairs with a close hash and close pixels, joined.

A hash alone is not enough. Images on a plain background share most bits, so the mean difference of pixels decides.
"""

import numpy as np
from numpy.typing import NDArray

from models.image_hash import close_pairs, image_hashes

_HASH_BITS = 3
"""Most bits in which the hashes of near-duplicates differ."""
_CELLS = 16
"""Pixels are compared after averaging to this many rows and columns."""
_MEAN_DIFFERENCE = 6.0
"""Largest mean difference of near-duplicates, of 255. Portraits stored twice differ by less than 1, others by 10."""
_CHUNK = 4096

Indices = NDArray[np.int64]


def groups(images: NDArray[np.uint8]) -> Indices:
    """Return a group number for each image. Near-duplicates of near-duplicates are in one group.

    Shapes: images (n, 3, r, r), r a multiple of 16; returns (n,), the smallest position in the group.
    """
    chunks = [images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK)]
    hashes = np.concatenate([image_hashes(chunk.transpose(0, 2, 3, 1)) for chunk in chunks])
    cells = np.concatenate([_averages(chunk) for chunk in chunks])
    pairs = close_pairs(hashes, _HASH_BITS)
    first, second = pairs.T
    alike = [
        np.abs(cells[first[start : start + _CHUNK]] - cells[second[start : start + _CHUNK]]).mean(axis=1)
        <= _MEAN_DIFFERENCE
        for start in range(0, len(pairs), _CHUNK)
    ]
    return _connected(len(images), pairs[np.concatenate(alike)] if alike else pairs)


def _averages(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean of each cell and colour. Shapes: images (n, 3, r, r); returns (n, 768)."""
    n, channels, side, _ = images.shape
    cell = side // _CELLS
    cells: NDArray[np.float32] = images.reshape(n, channels, _CELLS, cell, _CELLS, cell).mean((3, 5), dtype=np.float32)
    return cells.reshape(n, -1)


def _connected(count: int, pairs: Indices) -> Indices:
    """Return the connected components of a graph, by union-find. Shapes: pairs (m, 2); returns (count,)."""
    parents = list(range(count))

    def root(k: int) -> int:
        while parents[k] != k:
            parents[k] = parents[parents[k]]
            k = parents[k]
        return k

    for first, second in pairs.tolist():
        low, high = sorted((root(first), root(second)))
        parents[high] = low
    return np.asarray([root(k) for k in range(count)], dtype=np.int64)
