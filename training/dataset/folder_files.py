"""Lists the files of a folder, including those behind links."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from training.dataset.listing import File, Listing, ignore_reason
from training.errors import DatasetError

MAX_FILE_BYTES = 256_000_000
"""Larger files are set aside unread. 64 million pixels fit into this size."""


def list_folder(top: Path) -> Listing:
    """List a folder. Unreadable subfolders are listed as rejected. Raises OSError for `top` itself."""
    listing = Listing()
    # Each folder carries the real paths around it, to detect links to an ancestor.
    waiting = [(top, frozenset({top.resolve()}))]
    while waiting:
        folder, around = waiting.pop()
        inside = "" if folder == top else f"{text(folder.relative_to(top).as_posix())}/"
        for path in _entries(folder, top, listing):
            name = inside + text(path.name)
            if reason := ignore_reason(name):
                listing.skipped.add(reason, name)
            elif not _is_folder(path):
                reader = _Reader(path)
                listing.files.append(File(name, reader, reader.head))
            elif (real := path.resolve()) not in around:  # a link to a folder around itself is not followed
                listing.folders.add(name)
                waiting.append((path, around | {real}))
    listing.files.sort(key=lambda file: file.name)
    return listing


def check_size(size_bytes: int) -> None:
    """Raise DatasetError for a file that is too large to read."""
    if size_bytes > MAX_FILE_BYTES:
        raise DatasetError(f"{size_bytes} bytes, more than {MAX_FILE_BYTES}")


def text(path: str) -> str:
    """Return a path as text, with escapes for bytes that are not text."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _entries(folder: Path, top: Path, listing: Listing) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        if folder == top:
            raise
        listing.rejected.append(
            (f"{text(folder.relative_to(top).as_posix())}/", f"unreadable ({error.strerror or error})")
        )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # reading it will say what is wrong
        return False


class _Reader:
    """Reads a file from disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> bytes:
        check_size(self._checked().st_size)
        return self._path.read_bytes()

    def head(self, count: int) -> bytes:
        """Read the first bytes."""
        self._checked()
        with self._path.open("rb") as file:
            return file.read(count)

    def _checked(self) -> os.stat_result:
        found = self._path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DatasetError("not a regular file")
        return found
