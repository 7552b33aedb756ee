"""Files that a reader always finds whole, whatever becomes of the writer or the disk."""

import os
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Write beside `path`, flush to the disk, then rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb", buffering=0) as file:
            _write_all(file.fileno(), data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
