"""Saturation: how often an image of a dataset nearly repeats another one, as the number of images grows."""

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from training.metrics import memorisation, neighbours
from training.metrics.neighbours import K
from training.metrics.reference import Reference

_QUERIES = 2000
"""Number of images whose nearest other image is searched. More would change the shares little."""
_REALS = 2000
"""Number of real images that the threshold is computed from."""
_STEPS = 4
"""The share is measured at the whole number of images, and at halves of the number before."""
_LEAST = 2 * (K + 1)


class Saturation(BaseModel):
    """The share of repetitions among the first n images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    share: float
    """Share of images that are nearer to another image than 1% of real images are to theirs."""
    reals: float | None
    """The same share among n real images; None if there are fewer."""


def measure(fakes: Tensor, reals: Reference) -> tuple[Saturation, ...]:
    """Measure the share at several numbers of images. Shapes: fakes (n, d).

    Raises MetricsError when all reals are the same image.
    """
    some = reals.features[:_REALS]
    closest = memorisation.summarise(neighbours.nearest_others(some, K).distances).closest
    sizes = sorted({len(fakes) >> step for step in range(_STEPS)} | {len(fakes)})
    return tuple(
        Saturation(
            n=n,
            share=_share(fakes[:n], closest),
            reals=_share(reals.features[:n], closest) if n <= len(reals.features) else None,
        )
        for n in sizes
        if n >= min(_LEAST, len(fakes))
    )


def _share(points: Tensor, closest: float) -> float:
    nearest = neighbours.nearest_others(points, count=min(len(points), _QUERIES)).distances
    return float((nearest < closest).double().mean())
