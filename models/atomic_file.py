"""Files that a reader always finds whole, whatever becomes of the writer or the disk."""

import errno
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PARTIAL = re.compile(r"\..+\.([0-9]+)\.partial")
_ABANDONED_SECONDS = 3600.0
"""No write takes as long: a partial file that old has no writer, even where its process id is in use again."""


def write(path: Path, data: bytes) -> None:
    """Write beside `path`, flush to the disk, then rename: a reader sees the old file or the new one.

    Raises OSError with the name `path`, never with that of the file beside it.
    """
    with _named(path):
        _refuse_impossible(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb", buffering=0) as file:
                _write_all(file.fileno(), data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def check(path: Path) -> None:
    """Find out whether `write` can put a file at `path`, and leave nothing behind. Raises OSError where it cannot."""
    with _named(path):
        _refuse_impossible(path)
        check_folder(path.parent)
        if path.parent.is_dir():
            partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
            partial.open("wb").close()
            partial.unlink()


def check_folder(folder: Path) -> None:
    """Find out whether files can be made in `folder`, or it can be made. Raises OSError where they cannot."""
    with _named(folder):
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        tempfile.TemporaryFile(dir=there).close()


def remove_abandoned(folder: Path) -> None:
    """Remove the partial files in `folder` whose writers have ended. Call it before this process writes there."""
    for path in folder.iterdir() if folder.is_dir() else ():
        found = _PARTIAL.fullmatch(path.name)
        if found and path.is_file() and not path.is_symlink() and _is_abandoned(path, int(found[1])):
            path.unlink(missing_ok=True)


def append(path: Path, record: bytes) -> None:
    """Add a record at the end. When it cannot be written whole, the file is left as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            _write_all(file.fileno(), record)
        except OSError:
            file.truncate(size)
            raise


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _refuse_impossible(path: Path) -> None:
    if path.is_dir() or not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error name the file that was asked for."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _is_abandoned(path: Path, process_id: int) -> bool:
    """Tell whether nobody writes a partial file. With our own id, an earlier process had it, e.g. in a container."""
    if process_id == os.getpid() or time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
        return True
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # the process of another user
        return False
    return False
