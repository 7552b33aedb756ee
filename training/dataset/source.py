"""Where images come from: every file of a folder or a zip, with its class label where it has one."""

import csv
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from training.errors import DatasetError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"})


@dataclass(frozen=True)
class Item:
    """One image file of a source."""

    name: str
    """Path inside the source, with forward slashes."""
    label: str | None
    read: Callable[[], bytes]


@dataclass(frozen=True)
class LabelColumn:
    """A column of a CSV table that labels files named by another column."""

    csv: str
    """Path of the table, inside the source or on disk."""
    label: str
    file: str = "file"


def items(path: Path, labels: LabelColumn | None = None) -> list[Item]:
    """List the images of a folder or a zip, in order of their names.

    Without a label column, files that all lie in sub-folders (two or more of them) are labelled by their top folder.
    Raises DatasetError when the source is missing, holds no image, or the label column does not fit.
    """
    files = _files(path)
    images = {name: read for name, read in sorted(files.items()) if _is_image(name)}
    if not images:
        raise DatasetError(f"{path}: no images found (looked for {', '.join(sorted(IMAGE_SUFFIXES))})")
    of = _column_labels(path, files, labels) if labels else _folder_labels(list(images))
    return [Item(name, of(name), read) for name, read in images.items()]


def _files(path: Path) -> dict[str, Callable[[], bytes]]:
    if path.is_dir():
        return {_text(p.relative_to(path)): p.read_bytes for p in path.rglob("*") if p.is_file()}
    if not path.exists():
        raise DatasetError(f"{path}: no such folder or zip")
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise DatasetError(f"{path}: neither a folder nor a zip ({error})") from error
    return {info.filename: _member(archive, info) for info in archive.infolist() if not info.is_dir()}


def _text(path: Path) -> str:
    """Write a path down even where its bytes are no text."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    return lambda: archive.read(info)


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden


def _folder_labels(names: list[str]) -> Callable[[str], str | None]:
    tops = {name: name.split("/")[0] for name in names if "/" in name}
    if len(tops) < len(names) or len(set(tops.values())) < 2:
        return lambda _: None
    return tops.__getitem__


def _column_labels(
    path: Path, files: dict[str, Callable[[], bytes]], column: LabelColumn
) -> Callable[[str], str | None]:
    on_disk = Path(column.csv)
    read = files.get(column.csv) or (on_disk.read_bytes if on_disk.is_file() else None)
    if read is None:
        raise DatasetError(f"{column.csv}: found neither in {path} nor on disk")
    try:
        rows = csv.DictReader(io.StringIO(read().decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{column.csv}: not UTF-8 ({error})") from error
    for wanted in (column.file, column.label):
        if wanted not in (rows.fieldnames or []):
            raise DatasetError(f"{column.csv}: no column {wanted!r}; it has {', '.join(rows.fieldnames or [])}")
    table = {row[column.file]: row[column.label] or None for row in rows}
    return lambda name: table.get(name) or table.get(PurePosixPath(name).name)
