"""The figures of each class of a dataset."""

from collections.abc import Callable, Sequence

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from training.errors import MetricsError
from training.metrics import figures, uncertainty
from training.metrics.figures import Likeness
from training.metrics.reference import Reference
from training.metrics.uncertainty import Interval
from training.metrics.verdicts import Verdicts


class ClassFigures(BaseModel):
    """The images of one class. Shares count the same verdicts as the figures of all images, so they add up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    images: int
    reals: int
    """Number of real images of the class to compare with."""
    yield_share: float | None = None
    """Share of the images that pass for real; None without images."""
    yield_interval: Interval | None = None
    copies: float | None = None
    label_agreement: float | None = None
    likeness: Likeness | None = None
    """The images of the class against the real images of the class; None if there are too few of either."""
    floor: Likeness | None = None
    """One half of the real images of the class against the other half."""
    note: str = ""
    """Why there is no likeness."""


def measure(
    names: Sequence[str],
    reals: Reference,
    fakes: Tensor,
    labels: Tensor,
    judged: Verdicts,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[ClassFigures, ...]:
    """Measure each class. Shapes: fakes (n, d), labels (n,). `progress` receives the number of finished classes."""
    found = []
    for number, name in enumerate(names):
        rows, of_class = labels == number, _only(reals, number)
        shares = _shares(rows, judged, number) if bool(rows.any()) else {}
        found.append(
            ClassFigures(name=name, images=int(rows.sum()), reals=len(of_class.features)).model_copy(
                update=shares | _likeness(of_class, fakes[rows])
            )
        )
        progress(number + 1)
    return tuple(found)


def _only(reals: Reference, number: int) -> Reference:
    rows = reals.labels == number
    return Reference(reals.source, reals.features[rows], reals.labels[rows])


def _shares(rows: Tensor, judged: Verdicts, number: int) -> dict[str, object]:
    passes = _share(judged.passes[rows])
    return {
        "yield_share": passes,
        "yield_interval": uncertainty.share(passes, int(rows.sum())),
        "copies": _share(judged.is_copy[rows]),
        "label_agreement": _share(judged.votes[rows] == number),
    }


def _likeness(reals: Reference, fakes: Tensor) -> dict[str, object]:
    try:
        figures.check_counts(reals, fakes)
    except MetricsError as error:
        return {"note": str(error)}
    first, second = reals.halves()
    return {
        "likeness": figures.compare(reals, fakes),
        "floor": figures.compare(first, second.features[: len(fakes)]),
    }


def _share(verdicts: Tensor) -> float:
    return float(verdicts.to(torch.float64).mean())
