"""Where a command writes: its result to standard output, progress and notes to standard error."""

import json
import os
import sys
from typing import Any

import typer
from rich.console import Console


class _Notes(Console):
    """Standard error. When its reader has gone, the work goes on without notes."""

    def on_broken_pipe(self) -> None:
        """Print nothing more."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # for the last flush of the interpreter


class Terminal:
    """The two streams of a command. A quiet one shows neither result nor notes, but JSON where that is asked for."""

    def __init__(self, *, is_quiet: bool = False, has_result: bool = True) -> None:
        self.result = Console(soft_wrap=True, quiet=is_quiet or not has_result)
        self.notes = _Notes(soft_wrap=True, stderr=True, quiet=is_quiet)

    def note(self, line: str) -> None:
        """Print a line beside the result, as it is."""
        self.notes.print(line, markup=False, highlight=False)


def print_json(value: dict[str, Any]) -> None:
    """Print an object in one line of ASCII, so that no terminal has to know its characters."""
    typer.echo(json.dumps(value))
