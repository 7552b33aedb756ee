"""Reads images from files for evaluation: a folder, a zip, or the ZIP or npz of a service."""

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.dataset import arrays, image_source
from training.dataset.square_image import decode
from training.errors import DatasetError, MetricsError


@dataclass(frozen=True)
class SampleImages:
    """Images of one size. Shapes: images (n, 3, r, r) uint8; labels (n,) int64 if every image has a known class."""

    images: Tensor
    labels: Tensor | None
    unusable: int

    @property
    def sha256(self) -> str:
        """The hash of the measured pixels."""
        return hashlib.sha256(self.images.numpy().data).hexdigest()


def is_image_source(path: Path) -> bool:
    """Return whether a path is a folder or a zip, and not a checkpoint."""
    return path.is_dir() or zipfile.is_zipfile(path)


def read(
    path: Path, size: int, classes: tuple[str, ...], most: int, progress: Callable[[int], None] = lambda _: None
) -> SampleImages:
    """Read at most `most` images, evenly spaced, and resize them to `size` as `imagemill dataset` does.

    Raises DatasetError when there are no images, MetricsError when none can be used.
    """
    if names := arrays.array_names(path):
        return SampleImages(_loaded(path, names, size, most), None, 0)
    found = image_source.items(path)
    pixels, labels = [], []
    for done, k in enumerate(_evenly_spaced(len(found), most), start=1):
        try:
            pixels.append(torch.from_numpy(decode(found[k].read(), size).pixels))
            labels.append(_position(found[k].label, classes))
        except (DatasetError, OSError):
            continue
        finally:
            progress(done)
    if not pixels:
        raise MetricsError(f"{path}: none of its {len(found)} images can be used")
    # One unknown label makes all labels useless for agreement.
    known = torch.tensor(labels) if -1 not in labels else None
    return SampleImages(torch.stack(pixels), known, min(len(found), most) - len(pixels))


def _evenly_spaced(count: int, most: int) -> list[int]:
    taken = min(count, most)
    return [k * count // taken for k in range(taken)]


def _position(label: str | None, classes: tuple[str, ...]) -> int:
    return classes.index(label) if label is not None and label in classes else -1


def _loaded(path: Path, names: list[str], size: int, most: int) -> Tensor:
    with np.load(path, allow_pickle=False) as file:
        images = np.concatenate([file[name.removesuffix(".npy")] for name in names])
    if images.dtype != np.uint8 or images.shape[1:] != (size, size, 3):
        raise MetricsError(
            f"{path}: holds {images.dtype} arrays of shape {images.shape[1:]}, not uint8 {(size, size, 3)}"
        )
    return torch.from_numpy(images[_evenly_spaced(len(images), most)]).permute(0, 3, 1, 2).contiguous()
