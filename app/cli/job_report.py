"""The report at the end of a command that has generated images."""

import time
from pathlib import Path

from rich.markup import escape

from app.cli.output_path import STANDARD_OUTPUT
from app.cli.terminal import Terminal
from app.client import Job, JobYield


def speed(job: Job, started: float) -> str:
    """Describe how long a job took from its request, at the monotonic time `started`, to the last byte."""
    seconds = time.monotonic() - started
    return f"{seconds:.1f} s from request to last byte, {job.n / seconds:.0f} images/s"


def print_report(job: Job, out: Path, took: str, terminal: Terminal) -> None:
    """Print how many images there are, where they are, how long it took, and their seed."""
    is_standard_output = out == STANDARD_OUTPUT
    place = "on standard output" if is_standard_output else f"in [bold]{escape(str(out.resolve()))}[/]"
    console = terminal.notes if is_standard_output else terminal.result
    console.print(f"[bold green]{job.n} images[/] from {escape(job.model)} are {place}")
    console.print(took)
    if job.yield_ is not None:
        console.print(_describe_yield(job.yield_))
    console.print(f"seed: {job.seed}")
    if job.yield_ is not None and job.next_start is not None:
        console.print(f"continue the dataset with --start {job.next_start}")


def _describe_yield(found: JobYield) -> str:
    """Describe how many of the tried images the job has kept."""
    share = found.kept / found.tried if found.tried else 0
    interval = f"95 % interval {found.low:.1%} to {found.high:.1%}"
    return f"kept {found.kept} of {found.tried} tried images ({share:.1%}, {interval})"
