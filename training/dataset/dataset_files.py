"""A dataset on disk: a folder with one uint8 array, one array of labels and a description."""

import hashlib
import re
import shutil
import tempfile
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from os import cpu_count
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from models.checkpoint import CLASS_NAME
from models.registry import MAX_CLASSES
from training.dataset.class_names import ordered
from training.dataset.framing import Framing
from training.dataset.item import Item
from training.dataset.square_image import FILTER, SquareImage, decode
from training.errors import DatasetError

FORMAT_VERSION = 1
_Outcome = SquareImage | DatasetError
_IMAGES, _LABELS, _DESCRIPTION = "images.bin", "labels.bin", "dataset.json"


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
    resolution: int
    classes: tuple[str, ...]
    resize_filter: str
    crop: str
    sha256: str
    """Hash of images and labels. Datasets with the same hash have the same pixels and labels in the same order."""
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


@dataclass(frozen=True)
class Credit:
    """Name and licence of the images."""

    name: str
    licence: str


@dataclass(frozen=True)
class Dataset:
    """Verified images, memory-mapped. Shapes: images (n, 3, r, r) uint8, labels (n,) int64, -1 for no label."""

    description: Description
    images: Tensor
    labels: Tensor


def build(
    found: list[Item],
    path: Path,
    size: int,
    credit: Credit,
    progress: Callable[[int], None] = lambda _: None,
    framing: Framing = Framing(),  # noqa: B008
) -> Description:
    """Decode every item and write the dataset to `path`. Files that cannot be decoded are listed as set aside.

    The folder gets its name only when it is complete. `progress` receives the number of finished files, and may raise
    an exception to stop. Raises DatasetError when `path` exists or cannot be written, or when fewer than two images are
    usable.
    """
    _check_number_of_classes(found)
    try:
        if path.exists():
            raise DatasetError(f"{path}: exists already")
        with _temporary_folder(path) as partial, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that Pillow reads all the same
            return _write(partial, found, size, credit, progress, framing)
    except OSError as error:
        raise DatasetError(f"{path}: could not be written ({error.strerror or error})") from error


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder. It is renamed to `path` on success and removed on failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield partial
        partial.chmod(0o755)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load(path: Path) -> Dataset:
    """Open a dataset. Raises DatasetError when it is missing, incomplete or damaged.

    Every byte is read: 100 MB take 0.05 s with a processor's SHA instructions, and training reads them anyway.
    """
    try:
        description = Description.model_validate_json((path / _DESCRIPTION).read_bytes())
    except (OSError, ValidationError) as error:
        raise DatasetError(f"{path}: not a dataset made by `imagemill dataset` ({error})") from error
    if description.format_version != FORMAT_VERSION:
        raise DatasetError(
            f"{path}: format version {description.format_version}, this Imagemill reads {FORMAT_VERSION}"
        )
    n, r = description.count, description.resolution
    images = _map_file(path / _IMAGES, torch.uint8, n * 3 * r * r).view(n, 3, r, r)
    dataset = Dataset(description, images, _map_file(path / _LABELS, torch.int64, n))
    _check_undamaged(path, dataset)
    return dataset


def _check_undamaged(path: Path, dataset: Dataset) -> None:
    digest = hashlib.sha256(dataset.images.numpy().data)
    digest.update(dataset.labels.numpy().data)
    if digest.hexdigest() != dataset.description.sha256:
        raise DatasetError(
            f"{path / _IMAGES} (or {_LABELS} beside it) is damaged: it is not what {_DESCRIPTION} was written for, "
            f"sha256 {dataset.description.sha256[:12]}; make the dataset again, or copy it again"
        )


def _map_file(path: Path, dtype: torch.dtype, count: int) -> Tensor:
    wanted = count * dtype.itemsize
    found = path.stat().st_size if path.exists() else 0
    if found != wanted:
        raise DatasetError(f"{path}: {found} bytes, its description says {wanted}")
    return torch.from_file(str(path), shared=False, size=count, dtype=dtype)


def _write(
    folder: Path, found: list[Item], size: int, credit: Credit, progress: Callable[[int], None], framing: Framing
) -> Description:
    labelled = any(item.label is not None for item in found)
    with (folder / _IMAGES).open("wb") as file:
        writer = _DatasetWriter(file, size)
        for done, (item, outcome) in enumerate(_decode_all(found, size, labelled, framing), start=1):
            writer.add(item, outcome)
            progress(done)
    if len(writer.labels) < 2:
        raise DatasetError(_too_few(len(writer.labels), writer.set_aside))
    classes = ordered(writer.labels) if labelled else []
    number = {label: k for k, label in enumerate(classes)}
    labels = np.asarray([number.get(label, -1) for label in writer.labels], dtype=np.int64).tobytes()
    writer.digest.update(labels)
    (folder / _LABELS).write_bytes(labels)
    description = Description(
        name=credit.name,
        licence=credit.licence,
        count=len(writer.labels),
        resolution=size,
        classes=tuple(classes),
        resize_filter=FILTER,
        crop=framing.name,
        sha256=writer.digest.hexdigest(),
        set_aside=tuple(writer.set_aside),
        enlarged=writer.enlarged,
        duplicates=len(writer.labels) - len(writer.seen),
        dim=writer.dim,
        cut=round(writer.cut / len(writer.labels), 4),
        remarks=dict(writer.remarks),
    )
    (folder / _DESCRIPTION).write_text(description.model_dump_json(indent=2), encoding="utf-8")
    return description


class _DatasetWriter:
    """Writes the pixels of usable images, lists rejected files, and counts oddities for the description."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.digest = hashlib.sha256()
        self.labels: list[str] = []
        self.set_aside: list[RejectedFile] = []
        self.seen: set[bytes] = set()
        self.enlarged = self.dim = 0
        self.cut = 0.0
        self.remarks: Counter[str] = Counter()

    def add(self, item: Item, outcome: SquareImage | DatasetError) -> None:
        """Add the result of decoding an item."""
        if isinstance(outcome, DatasetError):
            self.set_aside.append(RejectedFile(file=item.name, reason=str(outcome)))
            return
        self._file.write(outcome.pixels.data)
        self.digest.update(outcome.pixels.data)
        self.seen.add(hashlib.blake2b(outcome.pixels.data, digest_size=16).digest())
        self.labels.append(item.label or "")
        self.enlarged += outcome.side < self._size
        self.dim += outcome.is_dim
        self.cut += outcome.cut
        self.remarks.update(outcome.remarks)


def _decode_all(found: list[Item], size: int, labelled: bool, framing: Framing) -> Iterator[tuple[Item, _Outcome]]:
    """Decode on all cores, in order, and at most a fixed number of files ahead."""

    def one(item: Item) -> _Outcome:
        try:
            data = item.read()
            if labelled:
                _check_label(item.label)
            return decode(data, size, framing, item.box)
        except DatasetError as error:
            return error
        except OSError as error:  # a file that vanished or is not ours to read
            return DatasetError(f"unreadable ({error.strerror or error})")

    workers = cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        futures = ((item, pool.submit(one, item)) for item in found)
        yield from ((item, future.result()) for item, future in _bounded(futures, 4 * workers))


def _check_number_of_classes(found: list[Item]) -> None:
    labels = {item.label for item in found if item.label is not None}
    if len(labels) > MAX_CLASSES:
        raise DatasetError(
            f"{len(labels):,} classes, and a model has at most {MAX_CLASSES:,}: choose a label column with fewer "
            "values, or none"
        )


def _check_label(label: str | None) -> None:
    if label is None:
        raise DatasetError("no label")
    if not re.fullmatch(CLASS_NAME, label):
        raise DatasetError(f"a class name has 1 to 64 printable characters, this one is {label[:80]!r}")


def _bounded(futures: Iterator[tuple[Item, Future[_Outcome]]], count: int) -> Iterator[tuple[Item, Future[_Outcome]]]:
    window = deque(islice(futures, count))
    while window:
        yield window.popleft()
        window.extend(islice(futures, 1))


def _too_few(usable: int, set_aside: list[RejectedFile]) -> str:
    first = f"; the first: {set_aside[0].file}: {set_aside[0].reason}" if set_aside else ""
    return f"{usable} usable images, at least 2 wanted ({len(set_aside)} set aside{first})"
