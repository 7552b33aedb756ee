"""The file that a job becomes: whole or not there; what came of it before a stop is kept beside it for the next try."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.client import ClientError, JobLostError

_JOB_ID_BYTES = 16


def partial_of(out: Path, job_id: str) -> Path:
    """Name the file that becomes `out` once the archive of a job is whole."""
    return out.with_name(f".{out.name}.{job_id}.partial")


def check(out: Path) -> None:
    """Raise unless a file can be made beside `out`, before anybody works for it."""
    probe = partial_of(out, secrets.token_urlsafe(_JOB_ID_BYTES))
    with translated(out):
        probe.touch(exist_ok=False)
        probe.unlink()


@contextmanager
def written(out: Path, job_id: str) -> Iterator[IO[bytes]]:
    """Open what is there of `out` to append the rest; it takes its name at the end, unless something went wrong."""
    partial = partial_of(out, job_id)
    with translated(out), partial.open("ab") as file:
        _lock(file, partial)
        with _kept_if_of_use(file, partial):
            yield file
        file.flush()
        partial.replace(out)


@contextmanager
def translated(out: Path) -> Iterator[None]:
    """Put into words what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise ClientError(f"cannot write {out} ({error.strerror or error})", retry_after_seconds=0) from error


@contextmanager
def _kept_if_of_use(file: IO[bytes], partial: Path) -> Iterator[None]:
    """Remove a beginning that is empty, or of an archive that nobody can have any more."""
    try:
        yield
    except BaseException as error:
        if not file.tell() or isinstance(error, JobLostError):
            partial.unlink(missing_ok=True)
        raise


def _lock(file: IO[bytes], partial: Path) -> None:
    """Let no second process append to the file; where the file system knows no locks, that is not prevented."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ClientError(f"another imagemill is writing {partial}") from error
    except OSError:
        return
