"""A dataset on disk: a folder of one uint8 array, one array of labels and a description."""

import hashlib
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from os import cpu_count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from models.checkpoint import CLASS_NAME
from training.dataset.picture import CROP, FILTER, decode
from training.dataset.source import Item
from training.errors import DatasetError

FORMAT_VERSION = 1
_Decoded = NDArray[np.uint8] | DatasetError
_IMAGES, _LABELS, _DESCRIPTION = "images.bin", "labels.bin", "dataset.json"


class SetAside(BaseModel):
    """A file that was not used, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    reason: str


class Description(BaseModel):
    """What a dataset says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    name: str
    licence: str
    count: int = Field(ge=1)
    resolution: int
    classes: tuple[str, ...]
    resize_filter: str
    crop: str
    sha256: str
    """Of images and labels: two datasets with one hash hold the same pixels under the same labels, in one order."""
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True)
class Credit:
    """Whose images these are, and on which terms."""

    name: str
    licence: str


@dataclass(frozen=True)
class Dataset:
    """Checked images, memory-mapped. Shapes: images (n, 3, r, r) uint8, labels (n,) int64, -1 where there is none."""

    description: Description
    images: Tensor
    labels: Tensor


def build(
    found: list[Item], path: Path, size: int, credit: Credit, progress: Callable[[int], None] = lambda _: None
) -> Description:
    """Decode every item and write the dataset to `path`; what cannot be decoded is listed and set aside.

    The folder appears under its name only when it is complete. `progress` hears how many files were read.
    Raises DatasetError when `path` exists or fewer than two images are left.
    """
    if path.exists():
        raise DatasetError(f"{path}: exists already")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        description = _write(partial, found, size, credit, progress)
        partial.chmod(0o755)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return description


def load(path: Path) -> Dataset:
    """Open a dataset. Raises DatasetError when it is not one, or not whole."""
    try:
        description = Description.model_validate_json((path / _DESCRIPTION).read_bytes())
    except (OSError, ValidationError) as error:
        raise DatasetError(f"{path}: not a dataset made by `imagemill dataset` ({error})") from error
    if description.format_version != FORMAT_VERSION:
        raise DatasetError(
            f"{path}: format version {description.format_version}, this Imagemill reads {FORMAT_VERSION}"
        )
    n, r = description.count, description.resolution
    images = _mapped(path / _IMAGES, torch.uint8, n * 3 * r * r).view(n, 3, r, r)
    return Dataset(description, images, _mapped(path / _LABELS, torch.int64, n))


def _mapped(path: Path, dtype: torch.dtype, count: int) -> Tensor:
    wanted = count * dtype.itemsize
    found = path.stat().st_size if path.exists() else 0
    if found != wanted:
        raise DatasetError(f"{path}: {found} bytes, its description says {wanted}")
    return torch.from_file(str(path), shared=False, size=count, dtype=dtype)


def _write(folder: Path, found: list[Item], size: int, credit: Credit, progress: Callable[[int], None]) -> Description:
    labelled = any(item.label is not None for item in found)
    digest, used, set_aside = hashlib.sha256(), list[str](), list[SetAside]()
    with (folder / _IMAGES).open("wb") as file:
        for done, (item, pixels) in enumerate(_decoded(found, size, labelled), start=1):
            if isinstance(pixels, DatasetError):
                set_aside.append(SetAside(file=item.name, reason=str(pixels)))
            else:
                file.write(pixels.data)
                digest.update(pixels.data)
                used.append(item.label or "")
            progress(done)
    if len(used) < 2:
        raise DatasetError(_too_few(len(used), set_aside))
    classes = sorted(set(used)) if labelled else []
    written = np.asarray([classes.index(label) if labelled else -1 for label in used], dtype=np.int64).tobytes()
    digest.update(written)
    (folder / _LABELS).write_bytes(written)
    description = Description(
        name=credit.name,
        licence=credit.licence,
        count=len(used),
        resolution=size,
        classes=tuple(classes),
        resize_filter=FILTER,
        crop=CROP,
        sha256=digest.hexdigest(),
        set_aside=tuple(set_aside),
    )
    (folder / _DESCRIPTION).write_text(description.model_dump_json(indent=2), encoding="utf-8")
    return description


def _decoded(found: list[Item], size: int, labelled: bool) -> Iterator[tuple[Item, _Decoded]]:
    """Decode on all cores, in order, a bounded number of files ahead."""

    def one(item: Item) -> _Decoded:
        try:
            if labelled:
                _check_label(item.label)
            return decode(item.read(), size)
        except DatasetError as error:
            return error
        except Exception as error:  # a damaged zip member or a file that vanished
            return DatasetError(f"unreadable ({type(error).__name__}: {error})")

    workers = cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        futures = ((item, pool.submit(one, item)) for item in found)
        yield from ((item, future.result()) for item, future in _ahead(futures, 4 * workers))


def _check_label(label: str | None) -> None:
    if label is None:
        raise DatasetError("no label")
    if not re.fullmatch(CLASS_NAME, label):
        raise DatasetError(f"a class name has 1 to 64 printable characters, this one is {label[:80]!r}")


def _ahead(futures: Iterator[tuple[Item, Future[_Decoded]]], count: int) -> Iterator[tuple[Item, Future[_Decoded]]]:
    window = deque(islice(futures, count))
    while window:
        yield window.popleft()
        window.extend(islice(futures, 1))


def _too_few(usable: int, set_aside: list[SetAside]) -> str:
    first = f"; the first: {set_aside[0].file}: {set_aside[0].reason}" if set_aside else ""
    return f"{usable} usable images, at least 2 wanted ({len(set_aside)} set aside{first})"
