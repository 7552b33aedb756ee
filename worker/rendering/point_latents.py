"""The latents of points, as docs/points.md defines them: summed in float64 in the order given, rounded once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from models import latents
from models.sliders import Sliders
from worker.contracts.around import Around
from worker.contracts.points import Atom, Point
from worker.errors import TaskRefusedError


def latents_around(around: Around, sliders: Sliders | None, dim: int, seed: int, indices: range) -> Tensor:
    """Return the latents of the images of a job around a point. Shapes: returns (len(indices), dim) float32."""
    total = _sum_of_atoms(around.centre, dim).expand(len(indices), dim)
    if around.spread:
        total = total + around.spread * latents.sample(dim, seed, indices).double()
    return (around.truncation * total + _sum_of_shifts(around.shift, sliders, dim)).float()


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
    total, known = (
        torch.zeros(dim, dtype=torch.float64),
        {each.name: each for each in sliders.sliders} if sliders else {},
    )
    for name, sigmas in shift.items():
        if name not in known:
            raise TaskRefusedError(f"the model has no slider {name!r}")
        total = total + sigmas * torch.tensor(known[name].vector, dtype=torch.float64)
    return total
