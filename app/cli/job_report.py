"""The report at the end of a command that has generated images."""

import time
from pathlib import Path

from rich.markup import escape

from app.cli.output_path import STANDARD_OUTPUT
from app.cli.terminal import Terminal
from app.client import Job


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
    console.print(f"seed: {job.seed}")
