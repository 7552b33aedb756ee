"""The file that a job becomes: whole or not there. Or standard output, where an archive is written as it comes."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.cli.commands import STANDARD
from app.client import partial_file
from app.client.client import ClientError, JobLostError

_JOB_ID_BYTES = 16


def check(out: Path) -> None:
    """Raise unless a file can be made beside `out`, before anybody works for it."""
    probe = partial_file.path_of(out, secrets.token_urlsafe(_JOB_ID_BYTES)).with_suffix(".probing")
    with translated(out):
        probe.touch(exist_ok=False)
        probe.unlink()


@contextmanager
def opened(out: Path, job_id: str, *, is_forced: bool = False) -> Iterator[IO[bytes]]:
    """Open where the archive of a job goes, to append what is missing of it."""
    with _standard() if out == STANDARD else written(out, job_id, is_forced=is_forced) as file:
        yield file


@contextmanager
def written(out: Path, job_id: str, *, is_forced: bool = False) -> Iterator[IO[bytes]]:
    """Open what is there of `out` to append the rest; it takes its name at the end, unless something went wrong.

    A file that has that name by then is replaced by force only. Raises ClientError.
    """
    path = partial_file.path_of(out, job_id)
    with translated(out), path.open("ab") as file:
        partial_file.lock(file, path)
        with _kept_if_of_use(file, path):
            yield file
        file.flush()
        path.replace(out) if is_forced else _rename(path, out)


@contextmanager
def translated(out: Path) -> Iterator[None]:
    """Put into words what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise ClientError(f"cannot write {out} ({error.strerror or error})", retry_after_seconds=0) from error


@contextmanager
def _standard() -> Iterator[IO[bytes]]:
    """Open standard output. A reader that has closed it ends the command without a word, as pipes do."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush of the interpreter
        raise SystemExit(1) from None
    except OSError as error:
        sentence = f"cannot write to standard output ({error.strerror or error})"
        raise ClientError(sentence, retry_after_seconds=0) from error


@contextmanager
def _kept_if_of_use(file: IO[bytes], path: Path) -> Iterator[None]:
    """Remove a beginning that is empty, or of an archive that nobody can have any more."""
    try:
        yield
    except BaseException as error:
        if not file.tell() or isinstance(error, JobLostError):
            path.unlink(missing_ok=True)
        raise


def _rename(path: Path, out: Path) -> None:
    """Give a file its name, unless another one has it. A link tells; some file systems have none."""
    try:
        out.hardlink_to(path)
    except OSError as error:
        if out.exists():
            sentence = f"{out} was made by something else meanwhile; what was downloaded is kept"
            raise ClientError(sentence, retry_after_seconds=0) from error
        path.rename(out)
    else:
        path.unlink()
