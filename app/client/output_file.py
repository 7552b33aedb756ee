"""The file that a download becomes. It appears under its name only when it is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.client import partial_file
from app.client.errors import FileError, NotAvailableError


@contextmanager
def open_to_resume(out: Path, job_id: str, *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Open the partial file of `out` to append the rest of a job's archive. Without an error, it becomes `out`.

    Raises FileError, also if `out` exists by then and `overwrite` is not set.
    """
    path = partial_file.path_of(out, job_id)
    with os_errors_translated(out), path.open("a+b") as file:
        partial_file.lock(file, path)
        with _kept_if_useful(file, path):
            yield file
        file.flush()  # before the rename: a full disk must not leave an incomplete file under the final name
        path.replace(out) if overwrite else _rename(path, out)


@contextmanager
def os_errors_translated(out: Path) -> Iterator[None]:
    """Translate errors of the operating system into FileError."""
    try:
        yield
    except OSError as error:
        raise FileError(f"cannot write {out} ({error.strerror or error})", retry_after_seconds=0) from error


@contextmanager
def _kept_if_useful(file: IO[bytes], path: Path) -> Iterator[None]:
    """On an error, remove a partial file that is empty, or whose archive is not available any more."""
    try:
        yield
    except BaseException as error:
        if not file.tell() or isinstance(error, NotAvailableError):
            path.unlink(missing_ok=True)
        raise


def _rename(path: Path, out: Path) -> None:
    """Rename a file unless the new name exists. A hard link fails then, without a race; some file systems lack it."""
    try:
        out.hardlink_to(path)
    except OSError as error:
        if out.exists():
            sentence = f"another program has created {out} meanwhile; the download is kept as {path.name}"
            raise FileError(sentence, retry_after_seconds=0) from error
        path.rename(out)
    else:
        path.unlink()
