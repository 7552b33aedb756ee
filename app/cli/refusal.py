"""How a command refuses its input: with one line on standard error and an exit status."""

import logging
import os
import sys
from typing import NoReturn

import typer

from worker.contracts import logs

log = logging.getLogger(__name__)


def refuse(error: Exception) -> NoReturn:
    """Print an error in one line, in the format of the logs, and exit with status 1."""
    if os.environ.get("IMAGEMILL_LOG_FORMAT") == "json":
        logs.configure("info", "json")
        log.error("%s", error)
    else:
        typer.echo(f"Error: {error}", err=True)
    sys.exit(1)


def refuse_usage(sentence: str) -> NoReturn:
    """Print why the command line is wrong, and exit with status 2."""
    typer.echo(f"Error: {sentence}", err=True)
    raise typer.Exit(2)
