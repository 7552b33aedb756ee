"""The synthetic images of a proof: rendered by a generator with labels, or read from a dataset that was downloaded."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from models.checkpoint import Header, load_generator
from training import samples
from training.dataset.dataset_files import Description
from training.errors import MetricsError
from training.metrics import sample_files
from training.prove.examples import Examples
from training.prove.source import Source

_CHUNK = 256


def check(header: Header, description: Description) -> None:
    """Check that a generator draws the classes of a dataset, in its size. Raises MetricsError."""
    if not header.classes:
        raise MetricsError(f"{header.name} has no classes, so its images cannot teach a classifier")
    if header.classes != description.classes:
        of_data = ", ".join(description.classes) or "none"
        raise MetricsError(
            f"{header.name} has the classes {', '.join(header.classes)}; {description.name} holds {of_data}"
        )
    if header.resolution != description.resolution:
        raise MetricsError(
            f"{header.name} draws {header.resolution} px images, {description.name} holds {description.resolution} px"
        )


def obtain(
    source: Source,
    description: Description,
    count: int,
    seed: int,
    device: torch.device,
    progress: Callable[[int], None],
) -> tuple[Examples, str]:
    """Return labelled images and the sha256 of their source: all classes in turn, or at most `count` of the files.

    Raises MetricsError when files have no known classes.
    """
    if source.is_files:
        return _read(source.path, description, count, progress)
    header, generator = load_generator(source.path)
    network = generator.to(device).to(memory_format=torch.channels_last)
    labels, chunks = torch.arange(count) % len(header.classes), []
    for start in range(0, count, _CHUNK):
        chunk = range(start, min(start + _CHUNK, count))
        chunks.append(samples.render(network, header.latent_dim, seed, chunk, labels[chunk.start : chunk.stop]))
        progress(chunk.stop)
    return Examples(torch.cat(chunks), labels), hashlib.sha256(source.path.read_bytes()).hexdigest()


def _read(path: Path, description: Description, count: int, progress: Callable[[int], None]) -> tuple[Examples, str]:
    found = sample_files.read(path, description.resolution, description.classes, count, progress)
    if found.labels is None:
        raise MetricsError(
            f"{path}: the images need folders with the names of the classes ({', '.join(description.classes)}), "
            "as in the ZIP of a service"
        )
    return Examples(found.images, found.labels), found.sha256
