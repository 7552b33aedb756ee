"""Where images come from: every file of a folder or a zip, with its class label where it has one."""

import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from training.dataset.table import LabelColumn, Table, class_name
from training.errors import DatasetError

MAX_FILE_BYTES = 256_000_000
"""Larger files are set aside unread: 64 million pixels need no more."""
IMAGE_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
    | {".heic", ".heif", ".jxl", ".jp2"}  # not read, so that they are listed as set aside and nobody wonders
)
_ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".tgz", ".gz", ".xz", ".7z", ".rar"})
_ENCRYPTED = 0x1

_Read = Callable[[], bytes]


@dataclass(frozen=True)
class Item:
    """One file of a source."""

    name: str
    """Path inside the source, with forward slashes."""
    label: str | None
    read: _Read
    """Raises DatasetError or OSError when the file cannot be used."""


def items(path: Path, labels: LabelColumn | None = None) -> list[Item]:
    """List the images of a folder or a zip, in order of their names.

    Without a label column, files that all lie in sub-folders (two or more of them) are labelled by their folder there;
    folders around all of them do not count. Files that are there in vain are listed, too: they refuse to be read.
    Raises DatasetError when the source is missing, holds no image, or the label column does not fit.
    """
    files = dict(sorted(_files(path).items()))
    images = {name: read for name, read in files.items() if _has(name, IMAGE_SUFFIXES)}
    archives = [name for name in files if _has(name, _ARCHIVE_SUFFIXES)]
    if not images:
        hint = f"; {archives[0]} in there wants to be unpacked first" if archives else ""
        raise DatasetError(f"{path}: no images found (looked for {', '.join(sorted(IMAGE_SUFFIXES))}){hint}")
    found = _by_table(path, files, images, labels) if labels else _by_folder(images)
    return found + [_refused(name, "an archive; unpack it first") for name in archives]


def _files(path: Path) -> dict[str, _Read]:
    if path.is_dir():
        return {_text(file.relative_to(path)): _reader(file) for file in _walked(path)}
    if not path.exists():
        raise DatasetError(f"{path}: no such folder or zip")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise DatasetError(f"{path}: neither a folder nor a zip ({error})") from error
    return {_slashed(info.filename): _member(archive, info) for info in archive.infolist() if not info.is_dir()}


def _walked(top: Path) -> Iterator[Path]:
    """Find all files, also behind links; a link to a folder around itself is not followed."""
    waiting = [(top, frozenset({top.resolve()}))]
    while waiting:
        folder, around = waiting.pop()
        for path in folder.iterdir():
            if not path.is_dir():
                yield path
            elif (real := path.resolve()) not in around:
                waiting.append((path, around | {real}))


def _reader(path: Path) -> _Read:
    def read() -> bytes:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DatasetError("not a regular file")
        _check_size(found.st_size)
        return path.read_bytes()

    return read


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Read:
    def read() -> bytes:
        if info.flag_bits & _ENCRYPTED:
            raise DatasetError("encrypted; unpack the zip first")
        _check_size(info.file_size)
        try:
            return archive.read(info)
        except Exception as error:  # a damaged member breaks in many places
            raise DatasetError(f"damaged in the zip ({error})") from error

    return read


def _check_size(size_bytes: int) -> None:
    if size_bytes > MAX_FILE_BYTES:
        raise DatasetError(f"{size_bytes} bytes, more than {MAX_FILE_BYTES}")


def _text(path: Path) -> str:
    """Write a path down even where its bytes are no text."""
    return os.fsencode(path.as_posix()).decode(errors="backslashreplace")


def _slashed(name: str) -> str:
    """Write down a zip member's path as the format demands it, whatever its maker did."""
    return str(PurePosixPath(name.replace("\\", "/").lstrip("/")))


def _has(name: str, suffixes: frozenset[str]) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in suffixes and not hidden


def _refused(name: str, reason: str) -> Item:
    def read() -> bytes:
        raise DatasetError(reason)

    return Item(name, None, read)


def _by_folder(images: dict[str, _Read]) -> list[Item]:
    folders = [PurePosixPath(name).parent for name in images]
    around = len(PurePosixPath(os.path.commonpath(folders)).parts)
    inner = [folder.parts[around:] for folder in folders]
    classes, loose = {parts[0] for parts in inner if parts}, inner.count(())
    labelled = len(classes) > 1 and 2 * loose < len(inner)  # what all share lies around; some may be there by mistake
    items = []
    for (name, read), parts in zip(images.items(), inner, strict=True):
        if labelled and not parts:
            items.append(_refused(name, "lies in no class's folder, as most others do"))
        else:
            items.append(Item(name, class_name(parts[0]) if labelled else None, read))
    return items


def _by_table(path: Path, files: dict[str, _Read], images: dict[str, _Read], column: LabelColumn) -> list[Item]:
    table = Table(_table_bytes(path, files, column.csv), column)
    found = [_labelled(name, read, table) for name, read in images.items()]
    lost = table.never_asked()
    if len(lost) == len(table):
        firsts = f"its first is {lost[0] if lost else None!r}, that of {path} is {next(iter(images))!r}"
        raise DatasetError(f"{column.csv}: column {column.file!r} names none of the images ({firsts})")
    if lost:
        found.append(_refused(column.csv, f"{len(lost)} files that it names are not there, the first is {lost[0]!r}"))
    return found


def _labelled(name: str, read: _Read, table: Table) -> Item:
    try:
        return Item(name, table.label_of(name), read)
    except DatasetError as error:
        return _refused(name, str(error))


def _table_bytes(path: Path, files: dict[str, _Read], name: str) -> bytes:
    on_disk = Path(name)
    read = files.get(name) or (on_disk.read_bytes if on_disk.is_file() else None)
    if read is None:
        raise DatasetError(f"{name}: found neither in {path} nor on disk")
    return read()
