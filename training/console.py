"""Terminal output of the training commands: progress bars, error messages, and clean stops on signals."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from models import atomic_file
from models.errors import ModelError
from training.errors import OutputError, TrainingError, UsageError

if TYPE_CHECKING:
    from training.listener import Ending
    from training.loop import Run

console = Console(highlight=False, soft_wrap=True)
"""Results, on standard output."""
notes = Console(highlight=False, soft_wrap=True, stderr=True)
"""Progress, notes and errors, on standard error."""

_PACE_SECONDS = 600.0
"""Span over which the remaining time is estimated, so that half a busy minute does not change it much."""


def train_with_progress_bar(run: "Run", stop: Callable[[], bool], quiet: bool = False) -> "Ending":
    """Train with a progress bar until the run ends or `stop` returns true. With `quiet`, show no bar."""
    from training.listener import RunListener

    with progress("") as bar:
        bar.live.console.quiet = quiet
        task = bar.add_task("training", total=1.0, rate="")
        started, first = time.monotonic(), run.step

        def step(done: int) -> None:
            # A rollback can lead to a step before the first one of this session.
            rate = max(0, done - first) * run.images_per_step / (time.monotonic() - started)
            bar.update(task, completed=run.progress, rate=f"{rate:.0f} images/s")

        def say(line: object) -> None:
            bar.console.print(str(line), markup=False)

        return run.train(RunListener(step, say, say, stop))


def progress(unit: str) -> Progress:
    """Create a progress bar with a count or a percentage, a rate (field `rate`) and the remaining time."""
    counted = (MofNCompleteColumn(), TextColumn(unit)) if unit else (TaskProgressColumn(),)
    head, tail = (TextColumn("{task.description}"), BarColumn()), (TextColumn("{task.fields[rate]}"),)
    columns = (*head, *counted, *tail, TimeRemainingColumn())
    return Progress(*columns, console=notes, speed_estimate_period=_PACE_SECONDS)


@contextmanager
def measuring_bar(images: int, stop: Callable[[], bool], quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a progress bar while real images are measured. A stop ends the command with 130."""
    with exit_on_interrupt("stopped before the first step"), progress("images") as bar:
        task = bar.add_task("measuring the data", total=images, rate="", visible=False)

        def measured(done: int) -> None:
            if stop():
                raise KeyboardInterrupt
            bar.update(task, completed=done, visible=not quiet and done < images)

        yield measured


@contextmanager
def reading_bar(files: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar while files are read. A signal ends the command with 130 and removes its partial work."""
    with exit_on_interrupt("stopped; nothing was written"), stop_on_signal() as stop, progress("files") as bar:
        task = bar.add_task("reading", total=files, rate="")

        def read(done: int) -> None:
            if stop():
                raise KeyboardInterrupt
            bar.update(task, completed=done)

        yield read


def count_in(bar: Progress, name: str, total: int, *, shows_count: bool = False) -> Callable[[int], None]:
    """Add a row to a progress bar, and return a function that receives the number of finished images."""
    task = bar.add_task(name, total=total, rate="")
    return lambda done: bar.update(task, completed=done, rate=f"{done} of {total}" if shows_count else "")


@contextmanager
def exit_on_signal(sentence: str) -> Iterator[None]:
    """Exit at once with 130 on Ctrl-C or SIGTERM. Some libraries replace an interrupt by their own exception."""

    def end(*_: object) -> None:
        # A signal handler may interrupt a print, so it must not use Python's buffers.
        os.write(sys.stdout.fileno(), f"\r{sentence}\n".encode())
        os._exit(130)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_writable(path: Path, *sources: Path) -> None:
    """Check early that a file can be written. Raises OSError, or OutputError for one of `sources`."""
    atomic_file.check(path)
    # A hard link or another spelling of the path would also overwrite the source.
    if any(path.exists() and source.exists() and path.samefile(source) for source in sources):
        raise OutputError(f"{path}: is also the input; choose another name")


@contextmanager
def exit_on_interrupt(sentence: str) -> Iterator[None]:
    """Exit with 130 and one sentence on Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt as error:
        notes.print(sentence, markup=False)
        raise typer.Exit(130) from error


@contextmanager
def report_errors() -> Iterator[None]:
    """Print an expected error in one sentence; exit with 2 for a wrong command line, otherwise with 1."""
    try:
        yield
    except (TrainingError, ModelError) as error:
        notes.print(f"Error: {error}", style="red", markup=False)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error
    except OSError as error:
        notes.print(f"Error: {error.strerror or error}: {error.filename or ''}", style="red", markup=False)
        raise typer.Exit(1) from error


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C or SIGTERM was received."""
    received: list[int] = []
    before = {s: signal.signal(s, lambda number, _: received.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
