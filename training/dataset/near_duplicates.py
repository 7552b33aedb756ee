"""Groups of images that show nearly the same.

Images are compared by the mean difference of averaged pixels. A hash of slopes (`models/image_hash.py`) misses a third
of the copies of pictures on a plain background, because noise decides the bits of the background.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_CELLS, _COARSE_CELLS = 16, 4
"""Pixels are compared after averaging to this many rows and columns, and at first to the smaller number."""
_MEAN_DIFFERENCE = 5.0
"""Largest mean difference of near-duplicates, of 255. Portraits stored twice differ by less than 1, others by 10."""
_CHUNK = 1024
_BLOCK = 512

Indices = NDArray[np.int64]


def groups(images: NDArray[np.uint8]) -> Indices:
    """Return a group number for each image. Near-duplicates of near-duplicates are in one group.

    Shapes: images (n, 3, r, r), r a multiple of 16; returns (n,), the smallest position in the group.
    """
    starts = range(0, len(images), _CHUNK)
    cells = torch.cat([_averages(images[start : start + _CHUNK]) for start in starts])
    return _connected(len(images), _close_pairs(cells))


def _averages(images: NDArray[np.uint8]) -> Tensor:
    """Return the mean of each cell and colour. Shapes: images (n, 3, r, r); returns (n, 3, 16, 16) float32."""
    n, channels, side, _ = images.shape
    cell = side // _CELLS
    parts = images.reshape(n, channels, _CELLS, cell, _CELLS, cell)
    return torch.from_numpy(parts.mean((3, 5), dtype=np.float32))


def _close_pairs(cells: Tensor) -> list[tuple[int, int]]:
    """Return all pairs of near-duplicates. Shapes: cells (n, 3, 16, 16).

    The search is exact. Averaging never enlarges a mean difference, so it suffices to compare pairs of close
    brightness, then the coarse cells of those, and at last all cells of the rest.
    """
    fine = cells.flatten(1)
    coarse = torch.nn.functional.avg_pool2d(cells, _CELLS // _COARSE_CELLS).flatten(1)
    order = coarse.mean(dim=1).argsort(stable=True)
    coarse = coarse[order]
    brightness = coarse.mean(dim=1)
    found = []
    for start in range(0, len(order), _BLOCK):
        block = coarse[start : start + _BLOCK]
        limit = brightness[start + len(block) - 1] + _MEAN_DIFFERENCE
        end = int(torch.searchsorted(brightness, limit, right=True))
        differences = torch.cdist(block, coarse[start:end], p=1) / coarse.shape[1]
        candidates = order[(differences <= _MEAN_DIFFERENCE).triu(1).nonzero() + start]
        for pairs in torch.split(candidates, _CHUNK):
            is_close = (fine[pairs[:, 0]] - fine[pairs[:, 1]]).abs().mean(dim=1) <= _MEAN_DIFFERENCE
            found.append(pairs[is_close])
    return [(first, second) for first, second in torch.cat(found).tolist()]


def _connected(count: int, pairs: list[tuple[int, int]]) -> Indices:
    """Return the connected components of a graph, by union-find. Shapes: returns (count,)."""
    parents = list(range(count))

    def root(k: int) -> int:
        while parents[k] != k:
            parents[k] = parents[parents[k]]
            k = parents[k]
        return k

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parents[high] = low
    return np.asarray([root(k) for k in range(count)], dtype=np.int64)
