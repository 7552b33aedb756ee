"""Atomic writes: a reader always finds a complete file, even if the writer was killed or the disk was full."""

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
"""Age from which a partial file counts as abandoned, even if its process id is in use again."""


def write(path: Path, data: bytes) -> None:
    """Write a temporary file in the same folder, flush it to the disk, then rename it to `path`.

    A reader sees the old file or the new one. Raises OSError that names `path`, never the temporary file.
    """
    with _errors_name(path):
        _refuse_impossible_target(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb", buffering=0) as file:
                _write_all(file.fileno(), data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def check(path: Path) -> None:
    """Check that `write` could write a file at `path`, and leave nothing behind. Raises OSError if it could not."""
    with _errors_name(path):
        _refuse_impossible_target(path)
        check_folder(path.parent)
        if path.parent.is_dir():
            partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
            partial.open("wb").close()
            partial.unlink()


def check_folder(folder: Path) -> None:
    """Check that files can be created in `folder`, or that the folder can be. Raises OSError if they cannot."""
    with _errors_name(folder):
        # A folder that does not exist yet is created in its nearest existing parent, which must be writable.
        existing_parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        tempfile.TemporaryFile(dir=existing_parent).close()


def remove_abandoned(folder: Path) -> None:
    """Remove partial files in `folder` whose writers have ended. Call it before this process writes there."""
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _PARTIAL.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink() and _is_abandoned(path, int(match[1])):
            path.unlink(missing_ok=True)


def append(path: Path, record: bytes) -> None:
    """Append a record to a file. If the record cannot be written completely, the file is left unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            _write_all(file.fileno(), record)
        except OSError:
            file.truncate(size)
            raise


def _write_all(descriptor: int, data: bytes) -> None:
    # os.write may write only a part, e.g. when a disk is nearly full or a signal arrives.
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]
    os.fsync(descriptor)


def _refuse_impossible_target(path: Path) -> None:
    if path.is_dir() or not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Replace the file name in an OSError by `path`, the one that the caller passed."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _is_abandoned(path: Path, process_id: int) -> bool:
    """Return whether a partial file has no live writer.

    A file with our own process id belongs to an earlier process, e.g. of a restarted container.
    """
    if process_id == os.getpid() or time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
        return True
    try:
        os.kill(process_id, 0)  # signal 0 only checks that the process exists
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # the process of another user
        return False
    return False
