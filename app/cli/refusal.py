"""How a command refuses what it was given: with one line, in the format of the logs."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from worker.contracts import logs

log = logging.getLogger(__name__)


def refuse(error: Exception) -> NoReturn:
    """Say in one line what was wrong, in the format of the logs, and exit with 1."""
    if os.environ.get("IMAGEMILL_LOG_FORMAT") == "json":
        logs.configure("info", "json")
        log.error("%s", error)
    else:
        typer.echo(f"Error: {error}", err=True)
    sys.exit(1)


@contextmanager
def refused_politely() -> Iterator[None]:
    """Refuse keys that cannot be used."""
    from app.auth.api_keys import ApiKeysError

    try:
        yield
    except ApiKeysError as error:
        refuse(error)
