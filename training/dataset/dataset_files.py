"""A dataset on disk: a folder with one uint8 array, one array of labels and a description."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from training.errors import DatasetError

FORMAT_VERSION = 1
IMAGES, LABELS, DESCRIPTION = "images.bin", "labels.bin", "dataset.json"
HELD_OUT_IMAGES, HELD_OUT_LABELS = "held-out-images.bin", "held-out-labels.bin"


def _is_default(value: object) -> bool:
    return not value  # so that descriptions look as they did before there was something to say


class RejectedFile(BaseModel):
    """A file that was not used, and the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    reason: str


class Description(BaseModel):
    """The description of a dataset, stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    name: str
    licence: str
    count: int = Field(ge=1)
    """Number of training images, without the held-out ones."""
    resolution: int
    classes: tuple[str, ...]
    resize_filter: str
    crop: str
    sha256: str
    """Hash of the training images and their labels.

    Datasets with the same hash have the same pixels and labels in the same order.
    """
    set_aside: tuple[RejectedFile, ...]
    enlarged: int = 0
    """Number of images that were smaller than the resolution."""
    duplicates: int = 0
    """Number of images with exactly the pixels of another."""
    dim: int = Field(default=0, exclude_if=_is_default)
    """Number of images that use less than 1/8 of their range."""
    cut: float = Field(default=0.0, exclude_if=_is_default)
    """Mean share of an image outside of the square."""
    remarks: dict[str, int] = Field(default_factory=dict, exclude_if=_is_default)
    """Assumptions about files, with the number of files."""
    held_out: int = Field(default=0, exclude_if=_is_default)
    """Number of images that no training sees."""
    held_out_sha256: str = Field(default="", exclude_if=_is_default)
    """Hash of the held-out images and their labels."""
    near_duplicates: int = Field(default=0, exclude_if=_is_default)
    """Number of groups of images that show nearly the same. They are only counted where images are held out."""


@dataclass(frozen=True)
class HeldOut:
    """Images that no training sees. Shapes: images (m, 3, r, r) uint8, labels (m,) int64, -1 for no label."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Dataset:
    """Verified training images, memory-mapped, and the held-out images beside them.

    Shapes: images (n, 3, r, r) uint8, labels (n,) int64, -1 for no label.
    """

    description: Description
    images: Tensor
    labels: Tensor
    held_out: HeldOut | None = None


def held_out_dataset(dataset: Dataset) -> Dataset | None:
    """Return the held-out images as a dataset of their own; None if there are none."""
    if dataset.held_out is None:
        return None
    made = dataset.description
    own = {"count": made.held_out, "sha256": made.held_out_sha256, "held_out": 0, "held_out_sha256": ""}
    return Dataset(made.model_copy(update=own), dataset.held_out.images, dataset.held_out.labels)


def load(path: Path) -> Dataset:
    """Open a dataset. Raises DatasetError when it is missing, incomplete or damaged.

    Every byte is read: 100 MB take 0.05 s with a processor's SHA instructions, and training reads them anyway.
    """
    try:
        description = Description.model_validate_json((path / DESCRIPTION).read_bytes())
    except (OSError, ValidationError) as error:
        raise DatasetError(f"{path}: not a dataset made by `imagemill dataset` ({error})") from error
    if description.format_version != FORMAT_VERSION:
        raise DatasetError(
            f"{path}: format version {description.format_version}, this Imagemill reads {FORMAT_VERSION}"
        )
    side = description.resolution
    images, labels = _open_part(path / IMAGES, path / LABELS, description.count, side, description.sha256)
    if not description.held_out:
        return Dataset(description, images, labels)
    held_out = _open_part(
        path / HELD_OUT_IMAGES, path / HELD_OUT_LABELS, description.held_out, side, description.held_out_sha256
    )
    return Dataset(description, images, labels, HeldOut(*held_out))


def _open_part(images_path: Path, labels_path: Path, n: int, side: int, sha256: str) -> tuple[Tensor, Tensor]:
    """Map images and their labels, and verify their hash. Shapes: returns (n, 3, side, side) and (n,)."""
    images = _map_file(images_path, torch.uint8, n * 3 * side * side).view(n, 3, side, side)
    labels = _map_file(labels_path, torch.int64, n)
    digest = hashlib.sha256(images.numpy().data)
    # Same order as in the builder: images, then labels.
    digest.update(labels.numpy().data)
    if digest.hexdigest() != sha256:
        raise DatasetError(
            f"{images_path} (or {labels_path.name} beside it) is damaged: it is not what {DESCRIPTION} was written "
            f"for, sha256 {sha256[:12]}; make the dataset again, or copy it again"
        )
    return images, labels


def _map_file(path: Path, dtype: torch.dtype, count: int) -> Tensor:
    wanted = count * dtype.itemsize
    found = path.stat().st_size if path.exists() else 0
    if found != wanted:
        raise DatasetError(f"{path}: has {found} bytes, but {DESCRIPTION} declares {wanted}")
    return torch.from_file(str(path), shared=False, size=count, dtype=dtype)
