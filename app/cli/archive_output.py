"""The output of a command: a file that appears when it is complete, or standard output as the bytes arrive."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.cli.output_path import STANDARD_OUTPUT
from app.client import FileError
from app.client.output_file import open_to_resume, os_errors_translated
from app.client.partial_file import path_of

_JOB_ID_BYTES = 16


def check_writable(out: Path) -> None:
    """Raise FileError unless a file can be created next to `out`."""
    # The same length as a partial file's name, because a file system may refuse a long one.
    probe = path_of(out, secrets.token_urlsafe(_JOB_ID_BYTES)).with_suffix(".probing")
    with os_errors_translated(out):
        probe.touch(exist_ok=False)
        probe.unlink()


@contextmanager
def open_output(out: Path, job_id: str, *, is_forced: bool = False) -> Iterator[IO[bytes]]:
    """Open the output of a job, to append the missing part of its archive."""
    is_standard_output = out == STANDARD_OUTPUT
    with _standard_output() if is_standard_output else open_to_resume(out, job_id, overwrite=is_forced) as file:
        yield file


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    """Open standard output. If its reader closes the pipe, the command ends without a message, as is usual."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at its end
        raise SystemExit(1) from None
    except OSError as error:
        sentence = f"cannot write to standard output ({error.strerror or error})"
        raise FileError(sentence, retry_after_seconds=0) from error
