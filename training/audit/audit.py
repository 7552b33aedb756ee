"""Measures a downloaded dataset against the real images."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.image_hash import Hashes
from training.audit import class_figures, neighbour_pairs, saturation, similarity
from training.audit.neighbour_pairs import NeighbourPair
from training.audit.report import ArchiveReport
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset
from training.hardware import device_name
from training.metrics import (
    efflite,
    features,
    figures,
    pixel_hashes,
    real_parts,
    reference,
    report,
    sample_features,
    verdicts,
)
from training.metrics.real_parts import ProgressFactory
from training.metrics.sample_features import SampleFeatures


@dataclass(frozen=True)
class Audit:
    """A report, and pictures for people."""

    report: ArchiveReport
    nearest: list[NeighbourPair]
    random: list[NeighbourPair]


def run(
    archive: Path,
    folder: Path,
    most: int | None,
    device: torch.device,
    fid_weights: Path | None,
    progress_for: ProgressFactory,
) -> Audit:
    """Measure at most `most` images of an archive against the dataset in a folder.

    If `fid_weights` is given, the features are those of the Inception network.
    Raises DatasetError or MetricsError when images cannot be read, or are too few.
    """
    started = time.monotonic()
    data = dataset_files.load(folder)
    extractor = features.load_inception(fid_weights, device) if fid_weights else features.load(efflite.NAME, device)
    # The archive first: it may be damaged, and the features of the dataset can take minutes.
    taken = sample_features.extract(
        archive,
        data.description,
        extractor,
        most or sample_features.MOST,
        lambda count: progress_for("images of the archive", count),
    )
    parts = real_parts.load(data, extractor, folder, progress_for)
    figures.check_counts(parts.reals, taken.features)
    finish_step = progress_for("figures", 3)
    judged = verdicts.judge(parts.reals, taken.features, parts.separate_training)
    finish_step(1)
    names = data.description.classes
    by_class = class_figures.measure(
        names, parts.reals, taken.features, taken.labels, judged, progress_for("classes", len(names))
    )
    measured = figures.measure(parts.reals, taken.features, taken.known_labels, parts.separate_training, judged)
    finish_step(2)
    repetitions = saturation.measure(taken.features, parts.reals)
    finish_step(3)
    whole = report.build(
        measured,
        model=archive.resolve().name,
        model_sha256=taken.sha256,
        seed=None,
        device=device_name(device),
        seconds=round(time.monotonic() - started, 1),
        against=real_parts.describe(data.description, parts, None),
        notes=tuple(_notes(taken, data)),
    )
    return Audit(
        report=ArchiveReport(
            **whole.model_dump(),
            found=taken.found,
            resized=taken.resized,
            unusable=taken.unusable,
            unlabelled=int((taken.labels < 0).sum()) if names else 0,
            classes=by_class,
            similarity=_similarity(taken, data),
            saturation=repetitions,
        ),
        nearest=neighbour_pairs.nearest(taken, judged, data),
        random=neighbour_pairs.random(taken, judged, data),
    )


def _similarity(taken: SampleFeatures, data: Dataset) -> similarity.Similarity:
    held_out = None if data.held_out is None else _shuffled_hashes(data.held_out.images)
    return similarity.measure(taken.hashes, _shuffled_hashes(data.images), held_out, taken.identical)


def _shuffled_hashes(images: Tensor) -> Hashes:
    found: Hashes = pixel_hashes.hashes(images)[reference.shuffled_order(len(images)).numpy()]
    return found


def _notes(taken: SampleFeatures, data: Dataset) -> Iterator[str]:
    measured = len(taken.items)
    if taken.found > measured + taken.unusable:
        yield f"{measured:,} of {taken.found:,} images were measured, evenly spaced"
    if taken.unusable:
        yield f"{taken.unusable:,} of the images could not be used"
    if taken.resized:
        yield (
            f"{taken.resized:,} images have another size than {data.description.name} ({taken.size} px); they were "
            "cropped to a square and resized, which changes every figure"
        )
    unlabelled = int((taken.labels < 0).sum())
    if unlabelled and data.description.classes:
        yield f"{unlabelled:,} images have none of the classes {', '.join(data.description.classes)}"
