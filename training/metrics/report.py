"""What `imagemill evaluate` says: a table for people, JSON for programs."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from models import atomic_file
from training.metrics.figures import Provenance
from training.metrics.uncertainty import Interval

_WANTED = {
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
    """One evaluation of one model, with its circumstances."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    model_sha256: str
    seed: int | None
    """None: the images were given, and not drawn by a model."""
    device: str
    seconds: float
    figures: dict[str, float]
    floor: dict[str, float]
    intervals: dict[str, Interval] = {}
    """95% intervals: of what other samples of the same number would give."""
    bias: dict[str, float] = {}
    """By how much a distance would fall with endlessly many samples, about."""
    same_size: dict[str, float] = {}
    """A distance of as many samples, against the same reals, as its floor is measured with."""
    notes: tuple[str, ...] = ()
    """What keeps figures from being taken at their word."""
    provenance: Provenance


def table(report: Report) -> Table:
    """Set each figure beside that of held-out reals."""
    rows = Table("figure", "samples", "95%", "reals", "wanted", box=None, pad_edge=False)
    for name, value in report.figures.items():
        wanted = _WANTED[name.removesuffix(f"_{report.provenance.extractor}")]
        rows.add_row(name, f"{value:.4g}", interval(report, name), f"{report.floor[name]:.4g}", wanted)
    return rows


def interval(report: Report, name: str) -> str:
    """Write down the interval of a figure, where it is known."""
    return "{:.3g} to {:.3g}".format(*report.intervals[name]) if name in report.intervals else ""


def lines(report: Report) -> list[str]:
    """Say what the figures are of, without which they mean nothing."""
    of = report.provenance
    half = of.reals // 2
    seed = "" if report.seed is None else f", seed {report.seed}"
    return [
        *(f"note: {note}" for note in report.notes),
        f"samples: {of.fakes} of {report.model} (sha256 {report.model_sha256[:12]}){seed}",
        f"reference: {of.reals} images of {of.dataset} (sha256 {of.dataset_sha256[:12]})",
        f"features: {of.extractor}, {of.resize}; k {of.k}, manifolds of {of.manifold} points",
        f"reals: {min(half, of.fakes)} images of the reference measured against {half} others",
        f"time: {report.seconds:.0f} s on {report.device}",
    ]


def write(path: Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all."""
    atomic_file.write(path, (report.model_dump_json(indent=2) + "\n").encode())
