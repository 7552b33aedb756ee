"""Reads the npz of a service: images in `images_*.npy`, labels in its metadata."""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.dataset.item import Item
from training.errors import DatasetError

_PREFIX, _SUFFIX = "images_", ".npy"
_METADATA, _LABELS = "metadata.jsonl", "labels.npy"


def array_names(path: Path) -> list[str]:
    """Return the names of the image arrays in a zip; empty if the file is not a zip or has none."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as file:
        return sorted(name for name in file.namelist() if name.startswith(_PREFIX) and name.endswith(_SUFFIX))


def items(path: Path) -> list[Item]:
    """Return the images of an npz in order, with their labels. Raises DatasetError."""
    found = array_names(path)
    try:
        # Items refer to rows, and the pixels are read later.
        places = [(name, row) for name in found for row in range(len(_array(path, name)))]
        labels = list(_labels(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read as arrays of images ({error})") from error
    if len(labels) != len(places):
        raise DatasetError(f"{path}: holds {len(places)} images and {len(labels)} labels")
    return [
        Item(f"{name}/{row:06d}", label, partial(_png, path, name, row))
        for (name, row), label in zip(places, labels, strict=True)
    ]


@lru_cache(maxsize=2)
def _array(path: Path, name: str) -> NDArray[np.uint8]:
    """Load an array of shape (n, h, w, 3), uint8. Raises DatasetError for another shape or type."""
    with np.load(path, allow_pickle=False) as file:
        array: NDArray[np.uint8] = file[name.removesuffix(_SUFFIX)]
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != 3:
        raise DatasetError(f"{path}: {name} holds {array.dtype} of shape {array.shape}, not uint8 of (n, h, w, 3)")
    return array


def _png(path: Path, name: str, row: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_array(path, name)[row]).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _labels(path: Path) -> Iterator[str | None]:
    """Yield the label of each image: the name in the metadata, or the number in the array of labels."""
    with zipfile.ZipFile(path) as file:
        if _METADATA in file.namelist():
            yield from (json.loads(line).get("label") for line in file.read(_METADATA).decode().splitlines())
            return
        numbers = np.load(io.BytesIO(file.read(_LABELS)), allow_pickle=False)
    yield from (str(number) if number >= 0 else None for number in numbers.tolist())
