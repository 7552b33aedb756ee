"""Nearest neighbours in feature space, and comparisons of two manifolds.

Distances are computed for a block of rows at a time, so an n by m matrix is never in memory.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

K = 5
"""A ball reaches to the k-th nearest other point (5 as in Naeem et al. 2020)."""
_CHUNK = 1024


class Nearest(NamedTuple):
    """The nearest points of a query, nearest first. Shapes: (n, k) float32 and (n, k) int64."""

    distances: Tensor
    indices: Tensor


class Manifold(NamedTuple):
    """Points and the radius of each one's ball. Shapes: (n, d) and (n,)."""

    points: Tensor
    radii: Tensor


class Fidelity(NamedTuple):
    """Two manifolds compared.

    Source: Kynkaanniemi et al. 2019, eq. 1 and 2; Naeem et al. 2020, eq. 4 and 5.
    """

    precision: float
    """Share of fakes in a ball of the reals."""
    recall: float
    """Share of reals in a ball of the fakes."""
    density: float
    """Mean number of real balls that contain a fake, over k; can exceed 1."""
    coverage: float
    """Share of reals with a fake in their ball."""


def nearest(queries: Tensor, points: Tensor, k: int = 1) -> Nearest:
    """Return each query's k nearest points. Shapes: (n, d) and (m, d), m at least k."""
    return _gather(distances.topk(k, largest=False) for _, distances in blocks(queries, points))


def nearest_others(points: Tensor, k: int = 1, count: int | None = None) -> Nearest:
    """Return the k nearest other points of the first `count` points, or of all. Shapes: (n, d), n above k."""

    def others(rows: slice, distances: Tensor) -> Tensor:
        own = torch.arange(len(distances), device=distances.device)
        # A point is not its own neighbour.
        distances[own, own + rows.start] = torch.inf
        return distances

    found = blocks(points[:count], points)
    return _gather(others(rows, distances).topk(k, largest=False) for rows, distances in found)


def manifold(points: Tensor, k: int = K) -> Manifold:
    """Put a ball around each point. Shapes: (n, d), n above k."""
    return Manifold(points, nearest_others(points, k).distances[:, -1])


def fidelity(reals: Manifold, fakes: Manifold, k: int = K) -> Fidelity:
    """Compare two manifolds of equally many points, both with the same k."""
    device = reals.points.device
    recalled, covered = (torch.zeros(len(reals.points), dtype=torch.bool, device=device) for _ in range(2))
    precise = balls = 0
    for rows, distances in blocks(fakes.points, reals.points):
        inside = distances <= reals.radii
        precise += int(inside.any(dim=1).sum())
        balls += int(inside.sum())
        covered |= inside.any(dim=0)
        # The same distances serve both directions, reals by fakes and fakes by reals.
        recalled |= (distances <= fakes.radii[rows, None]).any(dim=0)
    n = len(fakes.points)
    return Fidelity(precise / n, float(recalled.double().mean()), balls / (k * n), float(covered.double().mean()))


def mean_distance(points: Tensor) -> float:
    """Return the mean distance over all pairs of different points. Shapes: (n, d), n at least 2."""
    total = sum(float(distances.double().sum()) for _, distances in blocks(points, points))
    return total / (len(points) * (len(points) - 1))


def blocks(queries: Tensor, points: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Compute all distances, a block of queries at a time. Shapes: (n, d) and (m, d); blocks are (rows, m)."""
    for start in range(0, len(queries), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(queries)))
        yield rows, torch.cdist(queries[rows], points)


def _gather(found: Iterator[tuple[Tensor, Tensor]]) -> Nearest:
    distances, indices = zip(*found, strict=True)
    return Nearest(torch.cat(distances), torch.cat(indices))
