"""Builds a dataset: decodes the images of a source, and writes them with their labels and a description."""

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
from typing import Any, BinaryIO

import numpy as np

from models.checkpoint import CLASS_NAME
from models.registry import MAX_CLASSES
from training.dataset import hold_out
from training.dataset.class_names import ordered
from training.dataset.dataset_files import DESCRIPTION, IMAGES, LABELS, Description, RejectedFile
from training.dataset.framing import Framing
from training.dataset.item import Item
from training.dataset.square_image import FILTER, SquareImage, decode
from training.errors import DatasetError

_Outcome = SquareImage | DatasetError


@dataclass(frozen=True)
class Credit:
    """Name and licence of the images."""

    name: str
    licence: str


def build(
    found: list[Item],
    path: Path,
    size: int,
    credit: Credit,
    progress: Callable[[int], None] = lambda _: None,
    framing: Framing = Framing(),  # noqa: B008
    held_out_share: float | None = None,
) -> Description:
    """Decode every item and write the dataset to `path`. Files that cannot be decoded are listed as set aside.

    About `held_out_share` of the images of each class are held out: they go to files that no training reads.

    The folder gets its name only when it is complete. `progress` receives the number of finished files, and may raise
    an exception to stop. Raises DatasetError when `path` exists or cannot be written, or when fewer than two images are
    usable.
    """
    # Before decoding, which can take hours.
    _check_number_of_classes(found)
    try:
        if path.exists():
            raise DatasetError(f"{path}: exists already")
        with _temporary_folder(path) as partial, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that Pillow reads all the same
            writer = _write_images(partial / IMAGES, found, size, progress, framing)
            return _describe(partial, writer, credit, framing, held_out_share)
    except OSError as error:
        raise DatasetError(f"{path}: could not be written ({error.strerror or error})") from error


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder. It is renamed to `path` on success and removed on failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield partial
        # mkdtemp creates a folder that only its owner may read.
        partial.chmod(0o755)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_images(
    path: Path, found: list[Item], size: int, progress: Callable[[int], None], framing: Framing
) -> "_DatasetWriter":
    is_labelled = any(item.label is not None for item in found)
    with path.open("wb") as file:
        writer = _DatasetWriter(file, size, is_labelled=is_labelled)
        for done, (item, outcome) in enumerate(_decode_all(found, size, is_labelled, framing), start=1):
            writer.add(item, outcome)
            progress(done)
    if len(writer.labels) < 2:
        raise DatasetError(_too_few(len(writer.labels), writer.set_aside))
    return writer


def _describe(
    folder: Path, writer: "_DatasetWriter", credit: Credit, framing: Framing, held_out_share: float | None
) -> Description:
    """Write the labels and the description of a dataset, and move the held-out images to their own files."""
    classes = ordered(writer.labels) if writer.is_labelled else []
    number = {label: k for k, label in enumerate(classes)}
    labels = np.asarray([number.get(label, -1) for label in writer.labels], dtype=np.int64)
    if held_out_share is None:
        writer.digest.update(labels.data)
        (folder / LABELS).write_bytes(labels.tobytes())
        parts: dict[str, Any] = {"count": len(labels), "sha256": writer.digest.hexdigest()}
    else:
        training, held_out, near_duplicates = hold_out.split_files(folder, writer.size, labels, held_out_share)
        parts = {"count": len(training.labels), "sha256": training.sha256, "near_duplicates": near_duplicates}
        parts |= {"held_out": len(held_out.labels), "held_out_sha256": held_out.sha256}
    description = Description(
        **parts,
        name=credit.name,
        licence=credit.licence,
        resolution=writer.size,
        classes=tuple(classes),
        resize_filter=FILTER,
        crop=framing.name,
        set_aside=tuple(writer.set_aside),
        enlarged=writer.enlarged,
        duplicates=len(writer.labels) - len(writer.seen),
        dim=writer.dim,
        cut=round(writer.cut / len(writer.labels), 4),
        remarks=dict(writer.remarks),
    )
    (folder / DESCRIPTION).write_text(description.model_dump_json(indent=2), encoding="utf-8")
    return description


class _DatasetWriter:
    """Writes the pixels of usable images, lists rejected files, and counts oddities for the description."""

    def __init__(self, file: BinaryIO, size: int, *, is_labelled: bool) -> None:
        self._file, self.size, self.is_labelled = file, size, is_labelled
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
        # 16 bytes per image suffice to count duplicates.
        self.seen.add(hashlib.blake2b(outcome.pixels.data, digest_size=16).digest())
        self.labels.append(item.label or "")
        self.enlarged += outcome.side < self.size
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
        # Four files per core keep all cores busy, and bound the memory.
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
    return f"{usable} usable images; at least 2 are needed ({len(set_aside)} set aside{first})"
