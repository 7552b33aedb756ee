"""How training talks to a person: a progress bar, one sentence for a mistake, a stop that loses nothing."""

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
"""For results, on standard output."""
notes = Console(highlight=False, soft_wrap=True, stderr=True)
"""For progress, notes and errors, on standard error."""

_PACE_SECONDS = 600.0
"""The time that is left goes by the pace of this long: a busy half minute does not turn hours into days."""


def train_with_progress_bar(run: "Run", stop: Callable[[], bool], quiet: bool = False) -> "Ending":
    """Train with a progress bar over the budget until the run ends or `stop` says so; quiet shows nothing."""
    from training.listener import RunListener

    with progress("") as bar:
        bar.live.console.quiet = quiet
        task = bar.add_task("training", total=1.0, rate="")
        started, first = time.monotonic(), run.step

        def step(done: int) -> None:
            rate = max(0, done - first) * run.images_per_step / (time.monotonic() - started)
            bar.update(task, completed=run.progress, rate=f"{rate:.0f} images/s")

        def say(line: object) -> None:
            bar.console.print(str(line), markup=False)

        return run.train(RunListener(step, say, say, stop))


def progress(unit: str) -> Progress:
    """Make a bar with a count of units or a percentage, a rate (field `rate`) and the time that is left."""
    counted = (MofNCompleteColumn(), TextColumn(unit)) if unit else (TaskProgressColumn(),)
    head, tail = (TextColumn("{task.description}"), BarColumn()), (TextColumn("{task.fields[rate]}"),)
    columns = (*head, *counted, *tail, TimeRemainingColumn())
    return Progress(*columns, console=notes, speed_estimate_period=_PACE_SECONDS)


@contextmanager
def measuring_bar(images: int, stop: Callable[[], bool], quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar while real images are measured, for as long as that takes; a stop ends the command with 130."""
    with exit_on_interrupt("stopped before the first step"), progress("images") as bar:
        task = bar.add_task("measuring the data", total=images, rate="", visible=False)

        def measured(done: int) -> None:
            if stop():
                raise KeyboardInterrupt
            bar.update(task, completed=done, visible=not quiet and done < images)

        yield measured


@contextmanager
def reading_bar(files: int) -> Iterator[Callable[[int], None]]:
    """Show a bar while files are read; Ctrl-C or SIGTERM ends the command, whose partial work is removed, with 130."""
    with exit_on_interrupt("stopped; nothing was written"), stop_on_signal() as stop, progress("files") as bar:
        task = bar.add_task("reading", total=files, rate="")

        def read(done: int) -> None:
            if stop():
                raise KeyboardInterrupt
            bar.update(task, completed=done)

        yield read


@contextmanager
def exit_on_signal(sentence: str) -> Iterator[None]:
    """End the process at once on Ctrl-C or SIGTERM, with 130: libraries turn an interrupt into errors of their own."""

    def end(*_: object) -> None:
        os.write(sys.stdout.fileno(), f"\r{sentence}\n".encode())
        os._exit(130)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_writable(path: Path, *sources: Path) -> None:
    """Find out before the work whether a file can be written. Raises OSError, or OutputError for one of `sources`."""
    atomic_file.check(path)
    if any(path.exists() and source.exists() and path.samefile(source) for source in sources):
        raise OutputError(f"{path}: is the file that is read; choose another name")


@contextmanager
def exit_on_interrupt(sentence: str) -> Iterator[None]:
    """End the command on Ctrl-C with 130 and one sentence."""
    try:
        yield
    except KeyboardInterrupt as error:
        notes.print(sentence, markup=False)
        raise typer.Exit(130) from error


@contextmanager
def report_errors() -> Iterator[None]:
    """Print a user's mistake in one sentence, without a traceback; exit with 2 if the command line is wrong, or 1."""
    try:
        yield
    except (TrainingError, ModelError) as error:
        notes.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error
    except OSError as error:
        notes.print(f"error: {error.strerror or error}: {error.filename or ''}", style="red", markup=False)
        raise typer.Exit(1) from error


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that the work asks between its steps."""
    received: list[int] = []
    before = {s: signal.signal(s, lambda number, _: received.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
