"""Evaluates one checkpoint, or a set of images, against one dataset."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from models import registry
from models.checkpoint import Header, load_generator, read_header
from training import samples
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset, Description
from training.errors import MetricsError
from training.hardware import device_name
from training.metrics import efflite, features, figures, real_parts, report, sample_features, sample_files
from training.metrics.features import Extractor
from training.metrics.real_parts import ProgressFactory
from training.metrics.reference import Reference
from training.metrics.report import Report
from training.record import model_card

_CHUNK = 256


@dataclass(frozen=True)
class Subject:
    """The subject of an evaluation: images 0 to n - 1 of a seed, and the dataset to compare with."""

    source: Path
    """A checkpoint, or images: a folder, a zip, or the ZIP or npz of a service."""
    dataset: Path
    n: int
    seed: int


class _Samples(NamedTuple):
    """Features of samples, and the source of the samples."""

    features: Tensor
    labels: Tensor | None
    """Requested labels, or None."""
    model: str
    sha256: str
    notes: tuple[str, ...] = ()


def run(subject: Subject, device: torch.device, fid_weights: Path | None, progress_for: ProgressFactory) -> Report:
    """Evaluate a checkpoint or images. If `fid_weights` is given, the features are those of the Inception network.

    Samples have labels in the proportions of the data, because other proportions would add to the distance.
    Raises MetricsError when checkpoint and dataset do not fit each other.
    """
    started = time.monotonic()
    from_images = sample_files.is_image_source(subject.source)
    data = dataset_files.load(subject.dataset)
    header = None if from_images else read_header(subject.source)
    if header:
        # Before the features of the data are extracted, which can take minutes.
        check_fit(header, data.description)
    extractor = features.load_inception(fid_weights, device) if fid_weights else features.load(efflite.NAME, device)
    parts = real_parts.load(data, extractor, subject.dataset, progress_for)
    if from_images:
        taken = _read(subject, data, extractor, progress_for)
    else:
        taken = _draw(subject, parts.reals, extractor, device, progress_for("samples", subject.n))
    measured = figures.measure(parts.reals, taken.features, taken.labels, parts.separate_training)
    return report.build(
        measured,
        model=taken.model,
        model_sha256=taken.sha256,
        seed=None if from_images else subject.seed,
        device=device_name(device),
        seconds=round(time.monotonic() - started, 1),
        against=real_parts.describe(data.description, parts, header),
        notes=taken.notes,
    )


def find(source: str) -> Path:
    """Return the path of images or of a checkpoint, by path or name. Raises ModelError when there is none."""
    is_shipped = source in registry.zoo()
    return Path(source) if sample_files.is_image_source(Path(source)) and not is_shipped else registry.find(source)


def card_path(source: Path) -> Path:
    """Return the path of a checkpoint's card. Raises MetricsError for images, which have no card."""
    if sample_files.is_image_source(source):
        raise MetricsError(f"{source}: --card is for checkpoints; images have no card")
    return source.parent / f"{read_header(source).name}.md"


def write_card(path: Path, made: Report) -> None:
    """Write a checkpoint's card again with these figures. The checkpoint stays unchanged."""
    model_card.write(path.parent, read_header(path), made)


def _draw(
    subject: Subject, reals: Reference, extractor: Extractor, device: torch.device, progress: Callable[[int], None]
) -> _Samples:
    """Render the images of a checkpoint and extract their features."""
    header, generator = load_generator(subject.source)
    network = generator.to(device).to(memory_format=torch.channels_last)
    labels, rows = reals.labels_in_proportion(subject.n) if header.classes else None, []
    for start in range(0, subject.n, _CHUNK):
        chunk = range(start, min(start + _CHUNK, subject.n))
        asked = None if labels is None else labels[chunk.start : chunk.stop]
        rows.append(extractor(samples.render(network, header.latent_dim, subject.seed, chunk, asked)))
        progress(chunk.stop)
    sha256 = hashlib.sha256(subject.source.read_bytes()).hexdigest()
    return _Samples(torch.cat(rows), labels, header.name, sha256)


def _read(subject: Subject, data: Dataset, extractor: Extractor, progress_for: ProgressFactory) -> _Samples:
    """Read images and extract their features."""
    found = sample_features.extract(
        subject.source, data.description, extractor, subject.n, lambda count: progress_for("samples", count)
    )
    notes = (f"{found.unusable} of the images could not be used",) if found.unusable else ()
    return _Samples(found.features, found.known_labels, subject.source.resolve().name, found.sha256, notes)


def check_fit(header: Header, description: Description) -> None:
    """Raise MetricsError unless a checkpoint has the resolution and the classes of a dataset."""
    name = description.name
    if header.resolution != description.resolution:
        raise MetricsError(
            f"{header.name} draws {header.resolution} px images, {name} holds {description.resolution} px"
        )
    if header.classes and header.classes != description.classes:
        of_data = ", ".join(description.classes) or "none"
        raise MetricsError(f"{header.name} has the classes {', '.join(header.classes)}; {name} holds {of_data}")
