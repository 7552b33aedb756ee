"""The latents of points, as docs/points.md defines them: summed in float64 in the order given, rounded once."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import torch
from torch import Tensor

from models import latents
from models.sliders import Sliders
from worker.contracts.around import Around
from worker.contracts.points import Atom, Point
from worker.contracts.walk import Walk
from worker.errors import TaskRefusedError


def latents_around(around: Around, sliders: Sliders | None, dim: int, seed: int, indices: range) -> Tensor:
    """Return the latents of the images of a job around a point. Shapes: returns (len(indices), dim) float32."""
    total = _sum_of_atoms(around.centre, dim).expand(len(indices), dim)
    if around.spread:
        total = total + around.spread * latents.sample(dim, seed, indices).double()
    return (around.truncation * total + _sum_of_shifts(around.shift, sliders, dim)).float()


def latents_along(walk: Walk, sliders: Sliders | None, dim: int, indices: range) -> Tensor:
    """Return the latents of frames of a walk. Shapes: returns (len(indices), dim) float32.

    Frames whose points have the same parts are computed at once, in the order of operations of `latents_of`.
    """
    frames = [walk.point(0, index) for index in indices]
    rows = [_rows_of(list(group), sliders, dim) for _, group in groupby(frames, key=_parts)]
    return torch.cat(rows).float()


def _parts(frame: Point) -> tuple[list[tuple[int, int]], list[str]]:
    # The last latent has the weight 0, and another index in each frame.
    return [atom[:2] for atom in frame.at[:-1]], list(frame.shift)


def _rows_of(frames: Sequence[Point], sliders: Sliders | None, dim: int) -> Tensor:
    """Return the latents of frames with the same parts. Shapes: returns (len(frames), dim) float64."""
    total = torch.zeros(len(frames), dim, dtype=torch.float64)
    for place, (seed, index, _) in enumerate(frames[0].at[:-1]):
        weights = _column(frame.at[place].weight for frame in frames)
        total = total + weights * latents.sample(dim, seed, [index])[0].double()
    shifts, vectors = torch.zeros_like(total), _vectors(sliders)
    for name in frames[0].shift:
        shifts = shifts + _column(frame.shift[name] for frame in frames) * _find_vector(vectors, name)
    return _column(frame.truncation for frame in frames) * total + shifts


def _column(values: Iterable[float]) -> Tensor:
    return torch.tensor([[value] for value in values], dtype=torch.float64)


def latents_of(points: Sequence[Point], sliders: Sliders | None, dim: int) -> Tensor:
    """Return the latents of points. Shapes: returns (len(points), dim) float32."""
    rows = [
        point.truncation * _sum_of_atoms(point.at, dim) + _sum_of_shifts(point.shift, sliders, dim) for point in points
    ]
    return torch.stack(rows).float()


def _sum_of_atoms(atoms: Sequence[Atom], dim: int) -> Tensor:
    total = torch.zeros(dim, dtype=torch.float64)
    for seed, index, weight in atoms:
        # Two operations, because a fused one would round once less.
        total = total + weight * latents.sample(dim, seed, [index])[0].double()
    return total


def _sum_of_shifts(shift: Mapping[str, float], sliders: Sliders | None, dim: int) -> Tensor:
    total, vectors = torch.zeros(dim, dtype=torch.float64), _vectors(sliders)
    for name, sigmas in shift.items():
        total = total + sigmas * _find_vector(vectors, name)
    return total


def _vectors(sliders: Sliders | None) -> Mapping[str, Sequence[float]]:
    return {each.name: each.vector for each in sliders.sliders} if sliders else {}


def _find_vector(vectors: Mapping[str, Sequence[float]], name: str) -> Tensor:
    if name not in vectors:
        raise TaskRefusedError(f"the model has no slider {name!r}")
    return torch.tensor(vectors[name], dtype=torch.float64)
