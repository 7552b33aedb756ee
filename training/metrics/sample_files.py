"""Finds and decodes images for evaluation: a folder, or an archive of a service in any of its layouts."""

import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import torch
from torch import Tensor

from training.dataset import arrays, image_source, parquet_shards, source_paths, tar_samples
from training.dataset.class_names import class_name
from training.dataset.image_source import SourceOptions
from training.dataset.item import Item
from training.dataset.square_image import SquareImage, decode
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
    """Return whether a path is a folder or an archive, and not a checkpoint."""
    return path.is_dir() or zipfile.is_zipfile(path) or (path.is_file() and tarfile.is_tarfile(path))


def find(path: Path, classes: tuple[str, ...]) -> list[Item]:
    """Return the images of a folder or an archive. A label is one of `classes`, or None.

    Raises DatasetError when there are none, or when the file is damaged.
    """
    if arrays.array_names(path):
        found = arrays.items(path)
    elif parquet_shards.shard_names(path):
        found = parquet_shards.items(path)
    elif path.is_file() and tarfile.is_tarfile(path):
        found = tar_samples.items(path)
    else:
        found = image_source.find_images(path, SourceOptions(classes_from="none")).items
        return [Item(item.name, _class_in_path(item.name, classes), item.read, item.reason) for item in found]
    return [Item(item.name, _known(item.label, classes), item.read, item.reason) for item in found]


def choose(path: Path, classes: tuple[str, ...], most: int) -> tuple[list[Item], int]:
    """Return at most `most` images of a source, evenly spaced, and the number of images in it.

    Raises DatasetError as `find` does.
    """
    found = find(path, classes)
    taken = min(len(found), most)
    return [found[k * len(found) // taken] for k in range(taken)], len(found)


def decoded(
    items: Sequence[Item], size: int, progress: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[int, SquareImage]]:
    """Decode images, and resize them as `imagemill dataset` does. Yields positions too; leaves unusable images out."""
    for position, item in enumerate(items):
        try:
            yield position, decode(item.read(), size)
        except (DatasetError, OSError):
            continue
        finally:
            progress(position + 1)


def read(
    path: Path, size: int, classes: tuple[str, ...], most: int, progress: Callable[[int], None] = lambda _: None
) -> SampleImages:
    """Read at most `most` images, evenly spaced, and resize them to `size` as `imagemill dataset` does.

    Raises DatasetError when there are no images, MetricsError when none can be used.
    """
    chosen, _ = choose(path, classes, most)
    pixels, labels = [], []
    for position, image in decoded(chosen, size, progress):
        pixels.append(torch.from_numpy(image.pixels))
        labels.append(number_of(chosen[position].label, classes))
    if not pixels:
        raise none_usable(path, len(chosen))
    # One unknown label makes all labels useless for agreement.
    known = torch.tensor(labels) if -1 not in labels else None
    return SampleImages(torch.stack(pixels), known, len(chosen) - len(pixels))


def number_of(label: str | None, classes: tuple[str, ...]) -> int:
    """Return the number of a class; -1 for no known class."""
    return classes.index(label) if label is not None and label in classes else -1


def none_usable(path: Path, count: int) -> MetricsError:
    """Return the error of a source without a usable image."""
    return MetricsError(f"{path}: none of its {count} images can be used")


def _class_in_path(name: str, classes: tuple[str, ...]) -> str | None:
    """Return the innermost folder that is a class. A service percent-encodes special characters of class names."""
    # Other tools do not encode names, and a class name may itself contain a percent sign.
    folders = [
        class_name(spelling) for part in reversed(source_paths.folders(name)) for spelling in (part, unquote(part))
    ]
    return next((folder for folder in folders if folder in classes), None)


def _known(label: str | None, classes: tuple[str, ...]) -> str | None:
    """Return the class of a label, which is its name or its number."""
    if label in classes:
        return label
    is_number = label is not None and label.isdecimal() and int(label) < len(classes)
    return classes[int(label)] if label is not None and is_number else None
