"""What `imagemill evaluate` says: a table for people, JSON for programs."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from models import whole
from training.metrics.figures import Provenance

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
    seed: int
    device: str
    seconds: float
    figures: dict[str, float]
    floor: dict[str, float]
    provenance: Provenance


def table(report: Report) -> Table:
    """Set each figure beside that of held-out reals."""
    made = Table("figure", "samples", "reals", "wanted", box=None, pad_edge=False)
    for name, value in report.figures.items():
        wanted = _WANTED[name.removesuffix(f"_{report.provenance.extractor}")]
        made.add_row(name, f"{value:.4g}", f"{report.floor[name]:.4g}", wanted)
    return made


def lines(report: Report) -> list[str]:
    """Say what the figures are of, without which they mean nothing."""
    of = report.provenance
    half = of.reals // 2
    return [
        f"samples: {of.fakes} of {report.model} (sha256 {report.model_sha256[:12]}), seed {report.seed}",
        f"reference: {of.reals} images of {of.dataset} (sha256 {of.dataset_sha256[:12]})",
        f"features: {of.extractor}, {of.resize}; k {of.k}, manifolds of {of.manifold} points",
        f"reals: {half} images of the reference measured against {half} others",
        f"time: {report.seconds:.0f} s on {report.device}",
    ]


def write(path: Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all."""
    whole.write(path, (report.model_dump_json(indent=2) + "\n").encode())
