"""The features of real images, in shuffled order. They are cached next to the dataset, each part in its own file."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from models import atomic_file, safetensors_file
from models.errors import CheckpointError
from training.dataset.dataset_files import Dataset
from training.metrics import frechet
from training.metrics.features import Extractor

FORMAT_VERSION: Literal[1] = 1
_KEY = "imagemill.features"
_SHUFFLE_SEED = 0
TRAINING: Literal["training"] = "training"
HELD_OUT: Literal["held-out"] = "held-out"
Part = Literal["training", "held-out"]

log = logging.getLogger(__name__)


class Source(BaseModel):
    """Origin of features. Figures are comparable only if all of it matches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = FORMAT_VERSION
    extractor: str
    resize: str
    dataset: str
    dataset_sha256: str


class CachedFeatures(Source):
    """Header of a file of features."""

    features_sha256: str | None = None
    """None in older files."""


@dataclass(frozen=True)
class Reference:
    """Real images to compare with, in a fixed shuffled order, so that every prefix is a fair sample.

    Shapes: features (n, d) float32, labels (n,) int64, -1 for an image without a label.
    """

    source: Source
    features: Tensor
    labels: Tensor

    @cached_property
    def gaussian(self) -> frechet.Gaussian:
        """A Gaussian fitted to all features."""
        return frechet.gaussian(self.features)

    def halves(self) -> tuple["Reference", "Reference"]:
        """Split into two halves of equal size, always the same two."""
        half = len(self.features) // 2
        first, second = slice(0, half), slice(half, 2 * half)
        return (
            Reference(self.source, self.features[first], self.labels[first]),
            Reference(self.source, self.features[second], self.labels[second]),
        )

    def on(self, device: torch.device) -> "Reference":
        """Return this reference with its features, but not its labels, on a device. Figures are computed there."""
        return replace(self, features=self.features.to(device))

    def labels_in_proportion(self, count: int) -> Tensor:
        """Return class labels in the proportions of the data, in a fixed random order. Shapes: returns (count,)."""
        return self.labels[torch.arange(count) % len(self.labels)]


def is_cached(dataset: Dataset, extractor: Extractor, folder: Path) -> bool:
    """Return whether a dataset's folder already holds the features of its training images."""
    source = _source(dataset, extractor)
    return _read(_path(folder, extractor, TRAINING), source, dataset.description.count) is not None


def load_or_extract(
    dataset: Dataset,
    extractor: Extractor,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    part: Part = TRAINING,
) -> Reference:
    """Read a dataset's features from its folder, or extract them when they are missing, damaged or of other data.

    If the folder is not writable, every call extracts them again. `progress` receives the number of finished images.
    `part` is the part of the folder's dataset that `dataset` holds. Each part has a file of its own.
    """
    description, source, path = dataset.description, _source(dataset, extractor), _path(folder, extractor, part)
    features = _read(path, source, description.count)
    if features is None:
        features = extractor(dataset.images, progress)
        _write(path, source, features)
    progress(description.count)
    # The cache keeps the order of the dataset. Shuffling is cheap and fixed.
    order = shuffled_order(description.count)
    return Reference(source, features[order], dataset.labels[order])


def shuffled_order(count: int) -> Tensor:
    """Return the positions in the dataset of a reference's images. Shapes: returns (count,) int64."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(_SHUFFLE_SEED))


def _source(dataset: Dataset, extractor: Extractor) -> Source:
    return Source(
        extractor=extractor.name,
        resize=extractor.resize,
        dataset=dataset.description.name,
        dataset_sha256=dataset.description.sha256,
    )


def _path(folder: Path, extractor: Extractor, part: Part) -> Path:
    return folder / f"features-{'held-out-' * (part == HELD_OUT)}{extractor.name}.safetensors"


def _read(path: Path, source: Source, count: int) -> Tensor | None:
    try:
        found, tensors = safetensors_file.read(path, _KEY, CachedFeatures, FORMAT_VERSION)
    except CheckpointError:
        return None
    features = tensors.get("features", torch.empty(0))
    # Older files have no hash.
    undamaged = found.features_sha256 in (None, _sha256(features))
    fits = features.dim() == 2 and len(features) == count and features.dtype == torch.float32
    same = Source(**found.model_dump(exclude={"features_sha256"})) == source
    return features if same and undamaged and fits and bool(features.isfinite().all()) else None


def _sha256(features: Tensor) -> str:
    return hashlib.sha256(features.numpy().data).hexdigest()


def _write(path: Path, source: Source, features: Tensor) -> None:
    try:
        atomic_file.remove_abandoned(path.parent)
        kept = CachedFeatures(**source.model_dump(), features_sha256=_sha256(features))
        safetensors_file.write(path, _KEY, kept, {"features": features})
    except OSError as error:
        log.warning("features were not kept path=%s reason=%s", path, error.strerror)
