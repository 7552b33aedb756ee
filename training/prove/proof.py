"""Proves whether synthetic images help: checks, images, measurements, verdicts."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset
from training.hardware import device_name
from training.metrics import efflite, features
from training.metrics.real_parts import ProgressFactory
from training.prove import exposure, measurement, real_images, sizes, synthetic_images, verdict
from training.prove.cnn import SmallNetwork
from training.prove.examples import Examples
from training.prove.judge import Judge
from training.prove.measurement import Material
from training.prove.probe import LinearProbe
from training.prove.real_images import RealImages, Reals
from training.prove.report import Finding, Report
from training.prove.source import Source

JudgeChoice = Literal["probe", "cnn", "both"]

_PER_CLASS, _MOST = 500, 4000
"""Default number of synthetic images per class, and most of them in all."""


@dataclass(frozen=True)
class Question:
    """Everything that decides the figures, apart from the device."""

    source: Source
    dataset: Path
    trained_on: Path | None
    """The dataset of the generator, if it is not `dataset`."""
    per_class: tuple[int, ...]
    """Numbers of real images per class."""
    synthetic: int | None
    """Number of synthetic images per class; None for the default."""
    repeats: int
    judge: JudgeChoice
    reals: Reals
    seed: int
    overlap: bool
    """True if a generator that may have seen the test images is allowed."""


def run(question: Question, device: torch.device, progress_for: ProgressFactory) -> Report:
    """Answer a question. Raises MetricsError when the parts do not fit each other, or the test images may be known."""
    started = time.monotonic()
    source, data = question.source, dataset_files.load(question.dataset)
    if source.header:
        synthetic_images.check(source.header, data.description)
    trained_on = dataset_files.load(question.trained_on) if question.trained_on else None
    overlap = exposure.require(source, data, trained_on, question.overlap)
    reals, notes = _choose_reals(question, data, trained_on)
    names = data.description.classes
    tried = sizes.choose(question.per_class, names, reals.pool.counts(len(names)))
    judges = _judges(question.judge, device)
    count = len(names) * (question.synthetic or min(_PER_CLASS, _MOST // len(names)))
    made, sha256 = synthetic_images.obtain(
        source, data.description, count, question.seed, device, progress_for("synthetic images", count)
    )
    findings = [_find(judge, reals, made, len(names), tried.used, question, progress_for) for judge in judges]
    return Report(
        source=source.name,
        source_sha256=sha256,
        dataset=data.description.name,
        dataset_sha256=data.description.sha256,
        classes=names,
        reals=question.reals,
        overlap=overlap,
        synthetic=len(made),
        pool=len(reals.pool),
        test=len(reals.test),
        repeats=question.repeats,
        seed=question.seed,
        device=device_name(device),
        seconds=round(time.monotonic() - started, 1),
        notes=(*notes, *tried.notes),
        findings=tuple(findings),
    )


def _choose_reals(question: Question, data: Dataset, trained_on: Dataset | None) -> tuple[RealImages, list[str]]:
    """Choose the real images, and say how many were left out because the generator has seen them."""
    if trained_on is None or data.held_out is None:
        return real_images.choose(data, question.reals), []
    unseen = exposure.unseen(data, trained_on)
    seen = len(unseen) - int(unseen.sum())
    note = f"{seen} held-out images are in {trained_on.description.name}, or nearly, and were left out"
    return real_images.choose(data, question.reals, unseen), [note] if seen else []


def _judges(choice: JudgeChoice, device: torch.device) -> list[Judge]:
    judges: list[Judge] = []
    if choice in {"probe", "both"}:
        judges.append(LinearProbe(features.load(efflite.NAME, device)))
    if choice in {"cnn", "both"}:
        judges.append(SmallNetwork(device))
    return judges


def _find(
    judge: Judge,
    reals: RealImages,
    made: Examples,
    classes: int,
    tried: Sequence[int],
    question: Question,
    progress_for: ProgressFactory,
) -> Finding:
    def prepare(examples: Examples, name: str) -> Examples:
        progress: Callable[[int], None] = progress_for(f"{judge.name}: {name}", len(examples))
        return Examples(judge.prepare(examples.inputs, progress), examples.labels)

    material = Material(
        prepare(reals.pool, "real images"),
        prepare(made, "synthetic images"),
        prepare(reals.test, "test images"),
        classes,
    )
    total = measurement.number_of_trainings(tried, question.repeats)
    result = measurement.measure(
        judge, material, tried, question.repeats, question.seed, progress_for(f"{judge.name}: classifiers", total)
    )
    return Finding(result=result, verdict=verdict.decide(result.gains, result.placebo))
