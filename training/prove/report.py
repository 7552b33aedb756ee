"""The result of `imagemill prove`: tables and sentences for people, JSON for programs."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from models import atomic_file
from training.prove.measurement import Arm, Result
from training.prove.real_images import Reals
from training.prove.statistics import Accuracy, Difference
from training.prove.verdict import Verdict

_JUDGES = {"probe": "a linear classifier on pretrained features", "cnn": "a small network trained from scratch"}
_HEADINGS: dict[Arm, str] = {"real": "real", "both": "both", "placebo": "placebo"}


class Finding(BaseModel):
    """The result of one judge, and its verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: Result
    verdict: Verdict


class Report(BaseModel):
    """The measured usefulness of one source of synthetic images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    source_sha256: str
    dataset: str
    dataset_sha256: str
    """Hash of the training part."""
    classes: tuple[str, ...]
    reals: Reals
    overlap: str
    """Why the generator may have seen the test images; empty if it has not."""
    synthetic: int
    """Number of synthetic images."""
    pool: int
    """Number of real images to train on. Each draw takes some of them."""
    test: int
    """Number of real images to test on."""
    repeats: int
    seed: int
    device: str
    seconds: float
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]


def title(report: Report) -> str:
    """Return the title of table and plot. It says if the generator may have seen the test images."""
    warning = " (OVERLAP: the generator may have seen the test images)" if report.overlap else ""
    return f"Does {report.source} help to classify {report.dataset}?{warning}"


def subtitle(finding: Finding) -> str:
    """Return a judge's name with its meaning."""
    name = finding.result.judge
    return f"{name}: {_JUDGES[name]}" if name in _JUDGES else name


def table(finding: Finding) -> Table:
    """Return one judge's accuracies in per cent, and gains in points, by the number of real images per class (k)."""
    result = finding.result
    rows = Table("k", *_HEADINGS.values(), "gain", "placebo's gain", box=None, pad_edge=False)
    rows.add_row("0", "", _accuracy(result.synthetic), "", "", "")
    for k, arms in result.accuracies.items():
        rows.add_row(
            str(k), *(_accuracy(arms[arm]) for arm in _HEADINGS), _gain(result.gains[k]), _gain(result.placebo[k])
        )
    return rows


def lines(report: Report) -> list[str]:
    """Return the conditions of the figures, one sentence per line."""
    seen = [f"OVERLAP, so this is no proof: {report.overlap}"] if report.overlap else []
    where = "the training part" if report.reals == "training" else "the held-out part"
    chance = 1 / len(report.classes)
    low, high = report.findings[0].result.synthetic.test if report.findings else (0.0, 1.0)
    return [
        *seen,
        *(f"note: {note}" for note in report.notes),
        f"synthetic: {report.synthetic} images of {report.source} (sha256 {report.source_sha256[:12]})",
        f"real: drawn from {report.pool} images of {where} of {report.dataset}; tested on {report.test} others",
        "k: real images per class; both: real and synthetic images; placebo: the same with shuffled labels",
        f"accuracy: mean of the classes in %; chance gives {100 * chance:.1f}; +- is 95% over {report.repeats} draws; "
        f"the choice of test images adds about +-{50 * (high - low):.1f} to all accuracies alike",
        "gain: points above real images alone, paired; its 95% interval covers other draws and other test images",
        f"time: {report.seconds:.0f} s on {report.device}, seed {report.seed}",
    ]


def verdict_lines(finding: Finding) -> list[str]:
    """Return the sentences that a reader needs most."""
    result = finding.result
    return [f"{result.judge}: {finding.verdict.sentence}", f"{result.judge}: {worth(result)}"]


def worth(result: Result) -> str:
    """Compare synthetic images alone with the number of real images that give the same accuracy."""
    real: Mapping[int, Accuracy] = {k: arms["real"] for k, arms in result.accuracies.items()}
    reached, sizes = result.synthetic.mean, sorted(real)
    beaten = [k for k in sizes if real[k].mean <= reached]
    if not beaten:
        amount = f"less than {sizes[0]} real images per class"
    elif beaten[-1] == sizes[-1]:
        amount = f"at least as much as {sizes[-1]} real images per class"
    else:
        following = next(k for k in sizes if k > beaten[-1])
        amount = f"as much as {beaten[-1]} to {following} real images per class"
    return f"synthetic images alone reach {100 * reached:.1f} %, {amount}"


def write(path: Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all."""
    atomic_file.write(path, (report.model_dump_json(indent=2) + "\n").encode())


def _accuracy(value: Accuracy) -> str:
    return f"{100 * value.mean:.1f} +-{50 * (value.draws[1] - value.draws[0]):.1f}"


def _gain(value: Difference) -> str:
    return f"{100 * value.mean:+.1f} {100 * value.low:+.1f}..{100 * value.high:+.1f}"
