"""Hints on how to resume a job that was interrupted."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.cli.terminal import Terminal
from app.client import ClientError, partial_file

_MAX_NAMED = 3


def resume_hint(server: str, job_id: str, out: Path) -> str:
    """Name the command that resumes a job."""
    command = ["imagemill", "generate", "--job", job_id, "-o", str(out), "--server", server]
    return f"continue with: {shlex.join(command)}"


@contextmanager
def hint_on_interruption(server: str, unsaved: Mapping[str, Path]) -> Iterator[None]:
    """Add hints to whatever interrupts the block, unless it is an error that a repetition meets again.

    `unsaved` has the output file of each job by the id of the job. It may change within the block.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, ClientError) or error.retry_after_seconds is not None:
            for job_id, out in unsaved.items():
                error.add_note(resume_hint(server, job_id, out))
        raise


def print_left_over(folder: Path, server: str, terminal: Terminal) -> None:
    """Print which interrupted downloads a folder holds, and how to resume them."""
    found = partial_file.left_over(folder)
    for each in found[:_MAX_NAMED]:
        hint = resume_hint(server, each.job_id, each.out)
        terminal.note(f"{each.path} is an interrupted download; {hint}, or delete it")
    if len(found) > _MAX_NAMED:
        terminal.note(f"{len(found) - _MAX_NAMED} more interrupted downloads have names that end in .partial")
