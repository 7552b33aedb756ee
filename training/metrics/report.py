"""The result of `imagemill evaluate`: a table for people, JSON for programs."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from models import atomic_file
from training.metrics import caveats, figures
from training.metrics.figures import Evaluation, Provenance
from training.metrics.uncertainty import Interval

_TARGETS = {
    "fid": "low",
    "fd": "low",
    "kid": "low",
    "kd": "low",
    "precision": "as reals",
    "recall": "as reals",
    "density": "as reals",
    "coverage": "as reals",
    "yield": "as reals",
    "nearest_ratio": "about 1; copies bring it to 0",
    "copies": "as reals; more are copies",
    "label_agreement": "as reals",
}


class Report(BaseModel):
    """One evaluation of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    model_sha256: str
    seed: int | None
    """None if the images were given instead of rendered by a model."""
    device: str
    seconds: float
    figures: dict[str, float]
    floor: dict[str, float]
    intervals: dict[str, Interval] = {}
    """95% intervals for other samples of the same number."""
    bias: dict[str, float] = {}
    """Estimated bias of a distance for this number of samples."""
    same_size: dict[str, float] = {}
    """A distance with the sample count and the reals of its floor."""
    against: str = ""
    """The real images, and whether the model has seen them; empty in older files."""
    notes: tuple[str, ...] = ()
    """Sentences about the limits of the figures."""
    provenance: Provenance


def build(
    measured: Evaluation,
    *,
    model: str,
    model_sha256: str,
    seed: int | None,
    device: str,
    seconds: float,
    against: str,
    notes: tuple[str, ...],
) -> Report:
    """Return the report of an evaluation. Figures get the name of their feature network."""
    extractor = measured.provenance.extractor
    distance = figures.figure_name("fd", extractor)
    return Report(
        model=model,
        model_sha256=model_sha256,
        seed=seed,
        device=device,
        seconds=seconds,
        figures=figures.name_figures(measured.figures, extractor),
        floor=figures.name_figures(measured.floor, extractor),
        intervals={figures.figure_name(name, extractor): each for name, each in measured.intervals.items()},
        bias={} if measured.fd_bias is None else {distance: measured.fd_bias},
        same_size={distance: measured.fd_same_size},
        against=against,
        notes=(*notes, *caveats.sentences(measured, distance)),
        provenance=measured.provenance,
    )


def table(report: Report) -> Table:
    """Return a table of each figure next to that of held-out reals."""
    rows = Table("figure", "samples", "95%", "reals", "target", box=None, pad_edge=False)
    for name, value in report.figures.items():
        target = _TARGETS[name.removesuffix(f"_{report.provenance.extractor}")]
        rows.add_row(name, f"{value:.4g}", interval(report, name), f"{report.floor[name]:.4g}", target)
    return rows


def interval(report: Report, name: str) -> str:
    """Format the interval of a figure; empty if it is unknown."""
    return "{:.3g} to {:.3g}".format(*report.intervals[name]) if name in report.intervals else ""


def lines(report: Report) -> list[str]:
    """Return the conditions of the figures, one sentence per line."""
    of = report.provenance
    half = of.reals // 2
    seed = "" if report.seed is None else f", seed {report.seed}"
    return [
        *(f"note: {note}" for note in report.notes),
        f"samples: {of.fakes} of {report.model} (sha256 {report.model_sha256[:12]}){seed}",
        f"reference: {of.reals} images of {of.dataset} (sha256 {of.dataset_sha256[:12]})",
        *([f"against: {report.against}"] if report.against else []),
        f"features: {of.extractor}, {of.resize}; k {of.k}, manifolds of {of.manifold} points",
        f"reals: {min(half, of.fakes)} images of the reference measured against {half} others",
        f"time: {report.seconds:.0f} s on {report.device}",
    ]


def write(path: Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all."""
    atomic_file.write(path, (report.model_dump_json(indent=2) + "\n").encode())
