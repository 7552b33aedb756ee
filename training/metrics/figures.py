"""All figures of a set of samples, next to those of real images: the floor."""

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from training.errors import MetricsError
from training.metrics import frechet, inception, kernel, neighbours, uncertainty, verdicts
from training.metrics.neighbours import K
from training.metrics.reference import Reference
from training.metrics.uncertainty import Interval, Spread
from training.metrics.verdicts import MOST_POINTS, Verdicts

QUICK_POINTS = 2000
LEAST_REALS, LEAST_FAKES = 4 * (K + 1), K + 1
LEAST_HELD_OUT = 250
"""Fewer held-out images are not used as the reference, because figures against so few images are unreliable."""
_LEAST_DISTANCE = 1e-9
"""Least divisor, for data that repeats one image."""


def _is_default(value: object) -> bool:
    return not value  # so that reports against training images look as they always did


class Likeness(BaseModel):
    """The figures that compare two sets of images as a whole. Each module that computes one names its source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fd: float
    kd: float
    precision: float
    recall: float
    density: float
    coverage: float


class Figures(Likeness):
    """All figures of one set of samples."""

    yield_: float
    nearest_ratio: float
    copies: float
    label_agreement: float | None
    """Share of samples whose nearest reals vote for the requested class."""


class QuickFigures(BaseModel):
    """The figures that a run measures at every check. They are cheap, and they reveal a collapse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fd: float
    precision: float
    coverage: float
    diversity: float
    """Mean distance between two fakes over that between two reals; 0 means that all fakes are the same image."""


class Provenance(BaseModel):
    """Conditions that must be the same before two figures are compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extractor: str
    resize: str
    dataset: str
    dataset_sha256: str
    reals: int
    fakes: int
    manifold: int
    """Points of each kind in precision, recall, density, coverage and the kernel distance."""
    k: int = K
    training_sha256: str = Field(default="", exclude_if=_is_default)
    """Hash of the training images if the reals are held-out ones; empty if the reals are the training images."""


class Evaluation(BaseModel):
    """The figures of samples, and those of held-out reals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figures: Figures
    floor: Figures
    """Figures of one half of the reals against the other half, with at most as many images as there are fakes."""
    intervals: dict[str, Interval]
    """95% intervals by figure, for the Frechet distance and for shares."""
    fd_bias: float | None
    """Estimated bias of the Frechet distance for this number of samples; None for fewer than ten."""
    fd_same_size: float
    """Frechet distance with the sample count and the reals of the floor."""
    dim: int
    """Number of features of an image."""
    provenance: Provenance


def measure(
    reference: Reference,
    fakes: Tensor,
    labels: Tensor | None = None,
    training: Reference | None = None,
    judged: Verdicts | None = None,
) -> Evaluation:
    """Measure samples and the floor. Shapes: fakes (n, d), labels (n,), the requested classes.

    `training` are the training images if the reference holds other images; copies are searched among them.
    `judged` are the verdicts about the samples if they are known already.
    Raises MetricsError when there are too few of either.
    """
    check_counts(reference, fakes)
    first, second = reference.halves()
    # A fair floor has no more images than the samples.
    alike = slice(min(len(second.features), len(fakes)))
    found = _compute(reference, fakes, labels, judged or verdicts.judge(reference, fakes, training))
    of_reals = second.features[alike]
    spread = uncertainty.spread(found.fd, reference.gaussian, fakes)
    return Evaluation(
        figures=found,
        floor=_compute(
            first,
            of_reals,
            None if labels is None else second.labels[alike],
            verdicts.judge(first, of_reals, training),
        ),
        intervals=_intervals(found, len(fakes), _smallest_count(reference, fakes, MOST_POINTS), spread),
        fd_bias=spread and spread.bias,
        fd_same_size=frechet.distance(first.gaussian, frechet.gaussian(fakes[alike])),
        dim=fakes.shape[1],
        provenance=Provenance(
            **reference.source.model_dump(exclude={"format_version"}),
            reals=len(reference.features),
            fakes=len(fakes),
            manifold=_smallest_count(reference, fakes, MOST_POINTS),
            training_sha256=training.source.dataset_sha256 if training else "",
        ),
    )


def compare(reference: Reference, fakes: Tensor) -> Likeness:
    """Compare samples with real images as a whole. Shapes: fakes (n, d), n at least `LEAST_FAKES`."""
    n = _smallest_count(reference, fakes, MOST_POINTS)
    reals, some = reference.features[:n], fakes[:n]
    fidelity = neighbours.fidelity(neighbours.manifold(reals), neighbours.manifold(some))
    return Likeness(
        fd=frechet.distance(reference.gaussian, frechet.gaussian(fakes)),
        kd=kernel.distance(reals, some),
        **fidelity._asdict(),
    )


def measure_quickly(reference: Reference, fakes: Tensor) -> QuickFigures:
    """Measure the figures of a check, on at most 2000 points of each kind."""
    check_counts(reference, fakes)
    n = _smallest_count(reference, fakes, QUICK_POINTS)
    reals, some = reference.features[:n], fakes[:n]
    fidelity = neighbours.fidelity(neighbours.manifold(reals), neighbours.manifold(some))
    return QuickFigures(
        fd=frechet.distance(reference.gaussian, frechet.gaussian(some)),
        precision=fidelity.precision,
        coverage=fidelity.coverage,
        diversity=neighbours.mean_distance(some) / max(neighbours.mean_distance(reals), _LEAST_DISTANCE),
    )


def name_figures(figures: Figures | QuickFigures, extractor: str) -> dict[str, float]:
    """Name each figure together with its feature network, such as fd_efflite0. Names of two networks never collide."""
    found = figures.model_dump(exclude_none=True)
    return {figure_name(name, extractor): value for name, value in found.items()}


def figure_name(figure: str, extractor: str) -> str:
    """Name a figure together with its feature network. Under the Inception weights, distances are called fid and
    kid.
    """
    own = {"fd": "fid", "kd": "kid"} if extractor == inception.NAME else {}
    return own.get(figure, f"{figure.strip('_')}_{extractor}")


def _intervals(found: Figures, fakes: int, manifold: int, spread: Spread | None) -> dict[str, Interval]:
    counts = dict.fromkeys(("yield_", "copies", "label_agreement"), fakes)
    counts |= dict.fromkeys(("precision", "recall", "coverage"), manifold)
    values = {name: getattr(found, name) for name in counts}
    shares = {name: uncertainty.share(value, counts[name]) for name, value in values.items() if value is not None}
    return shares | ({"fd": spread.interval} if spread else {})


def _compute(reference: Reference, fakes: Tensor, labels: Tensor | None, judged: Verdicts) -> Figures:
    return Figures(
        **compare(reference, fakes).model_dump(),
        yield_=float(judged.passes.double().mean()),
        nearest_ratio=judged.nearest_ratio,
        copies=float(judged.is_copy.double().mean()),
        label_agreement=None if labels is None else float((judged.votes == labels).double().mean()),
    )


def _smallest_count(reference: Reference, fakes: Tensor, most: int) -> int:
    return min(len(reference.features), len(fakes), most)


def check_counts(reference: Reference, fakes: Tensor) -> None:
    """Raise MetricsError when there are too few real images or samples."""
    if len(reference.features) < LEAST_REALS or len(fakes) < LEAST_FAKES:
        found = f"{len(reference.features)} reals and {len(fakes)} fakes"
        raise MetricsError(f"{found} are too few to measure; at least {LEAST_REALS} and {LEAST_FAKES} are needed")
