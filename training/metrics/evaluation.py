"""One checkpoint against one dataset: samples drawn as the service draws them, then measured."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoint import Header, load_generator, read_header
from training import render
from training.dataset import store
from training.dataset.store import Description
from training.errors import MetricsError
from training.metrics import efflite, features, figures, reference
from training.metrics.features import Extractor
from training.metrics.report import Report
from training.publish import device_name
from training.record import card

_CHUNK = 256

Counter = Callable[[str, int], Callable[[int], None]]
"""Given what is counted and how many there are, tells who wants to hear how many are done."""


@dataclass(frozen=True)
class Subject:
    """What is evaluated: images 0 to n - 1 of a seed, and what they are compared with."""

    checkpoint: Path
    dataset: Path
    n: int
    seed: int


def run(subject: Subject, device: torch.device, fid_weights: Path | None, counter: Counter) -> Report:
    """Evaluate a checkpoint, under the Inception network where its weights are given.

    Class labels are asked for in the proportions of the data: other ones would themselves be a distance.
    Raises MetricsError when checkpoint and dataset do not fit each other.
    """
    started = time.monotonic()
    header, generator = load_generator(subject.checkpoint)
    data = store.load(subject.dataset)
    _check(header, data.description)
    extractor = features.load_inception(fid_weights, device) if fid_weights else features.load(efflite.NAME, device)
    reals = reference.of(data, extractor, subject.dataset, counter("real images", data.description.count))
    labels = reals.labels_like(subject.n) if header.classes else None
    network = generator.to(device).to(memory_format=torch.channels_last)
    fakes = _drawn(network, header.latent_dim, subject, labels, extractor, counter("samples", subject.n))
    measured = figures.measure(reals, fakes, labels)
    return Report(
        model=header.name,
        model_sha256=hashlib.sha256(subject.checkpoint.read_bytes()).hexdigest(),
        seed=subject.seed,
        device=device_name(device),
        seconds=round(time.monotonic() - started, 1),
        figures=figures.named(measured.figures, extractor.name),
        floor=figures.named(measured.floor, extractor.name),
        provenance=measured.provenance,
    )


def write_card(path: Path, report: Report) -> None:
    """Write the card of a checkpoint anew, with these figures; the checkpoint stays as it is."""
    card.write(path.parent, read_header(path), report)


def _drawn(
    generator: nn.Module,
    latent_dim: int,
    subject: Subject,
    labels: Tensor | None,
    extractor: Extractor,
    progress: Callable[[int], None],
) -> Tensor:
    rows = []
    for start in range(0, subject.n, _CHUNK):
        chunk = range(start, min(start + _CHUNK, subject.n))
        asked = None if labels is None else labels[chunk.start : chunk.stop]
        rows.append(extractor(render.samples(generator, latent_dim, subject.seed, chunk, asked)))
        progress(chunk.stop)
    return torch.cat(rows)


def _check(header: Header, description: Description) -> None:
    name = description.name
    if header.resolution != description.resolution:
        raise MetricsError(
            f"{header.name} draws {header.resolution} px images, {name} holds {description.resolution} px"
        )
    if header.classes and header.classes != description.classes:
        of_data = ", ".join(description.classes) or "none"
        raise MetricsError(f"{header.name} knows the classes {', '.join(header.classes)}; {name} holds {of_data}")
