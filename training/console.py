"""How training talks to a person: a progress bar, one sentence for a mistake, a stop that loses nothing."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.errors import ModelError
from training.errors import TrainingError

if TYPE_CHECKING:
    from training.loop import Run

console = Console(highlight=False, soft_wrap=True)


def watch(run: "Run", stop: Callable[[], bool]) -> bool:
    """Train with a progress bar until the budget is spent (True) or `stop` says so (False)."""
    from training.loop import Watcher

    with progress("steps") as bar:
        task = bar.add_task("training", total=run.total_steps, completed=run.step, rate="")
        started, first = time.monotonic(), run.step

        def step(done: int) -> None:
            rate = (done - first) * run.batch / (time.monotonic() - started)
            bar.update(task, completed=done, rate=f"{rate:.0f} images/s")

        return run.train(Watcher(step, lambda line: bar.console.print(str(line)), stop))


def progress(unit: str) -> Progress:
    """Make a bar with a count, a rate (field `rate`) and the time that is left."""
    count = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    return Progress(*count, TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console)


@contextmanager
def errors() -> Iterator[None]:
    """Say a user's mistake in one sentence, without a traceback, and exit with 1."""
    try:
        yield
    except (TrainingError, ModelError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(1) from error
    except OSError as error:
        console.print(f"error: {error.strerror or error}: {error.filename or ''}", style="red", markup=False)
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
