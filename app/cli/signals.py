"""Signals that end a command, and the errors that end one while it works."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.markup import escape

from worker.contracts import logs


class _Stopped(BaseException):
    """A signal has asked this process to end."""


@contextmanager
def ended_by_signals(*errors: type[Exception], is_normal: bool) -> Iterator[None]:
    """Let a signal unwind the block, and exit. Print the given errors in one line, and exit with status 1.

    The exit status after a signal is 0 if such an end `is_normal`, and 128 plus the signal's number otherwise.
    """
    console = Console(soft_wrap=True, stderr=True)
    logs.configure("warning", "text")
    for number in _ending_signals():
        signal.signal(number, _stop)
    try:
        yield
    except _Stopped as stopped:
        (number,) = stopped.args
        console.print(f"Stopped by {signal.Signals(number).name}.")
        _print_notes(stopped, console)
        sys.exit(0 if is_normal else 128 + number)
    except errors as error:
        console.print(f"[bold red]Error:[/] {escape(str(error))}")
        _print_notes(error, console)
        sys.exit(1)


def _print_notes(error: BaseException, console: Console) -> None:
    for note in getattr(error, "__notes__", ()):
        console.print(note, markup=False, highlight=False)


def _stop(number: int, _frame: FrameType | None) -> None:
    # A second signal must not interrupt the clean-up that the first one started.
    for ending in _ending_signals():
        signal.signal(ending, signal.SIG_IGN)
    raise _Stopped(number)


def _ending_signals() -> list[signal.Signals]:
    # nohup sets SIGHUP to be ignored, and that must stay so.
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [n for n in numbers if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
