"""The two streams of a command: results on standard output, notes and progress on standard error."""

import json
import os
import sys
from typing import Any

import typer
from rich.console import Console

DEFAULT_SERVER = "http://127.0.0.1:8000"


class _Notes(Console):
    """Standard error. If its reader closes the pipe, the command goes on without notes."""

    def on_broken_pipe(self) -> None:
        """Print nothing more."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # the interpreter flushes once more at its end


class Terminal:
    """The two streams of a command. A quiet one prints neither results nor notes."""

    def __init__(self, *, is_quiet: bool = False, has_result: bool = True) -> None:
        self.result = Console(soft_wrap=True, quiet=is_quiet or not has_result)
        self.notes = _Notes(soft_wrap=True, stderr=True, quiet=is_quiet)

    def note(self, line: str) -> None:
        """Print a line on standard error, without markup."""
        self.notes.print(line, markup=False, highlight=False)


def print_json(value: dict[str, Any]) -> None:
    """Print an object on standard output as one line of JSON. It is ASCII, so every terminal can show it."""
    typer.echo(json.dumps(value))
