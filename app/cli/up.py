"""The command `imagemill up`."""

from pathlib import Path
from typing import Annotated

import typer

_DATA = Path("imagemill-data")


def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for the jobs and their images.")] = _DATA,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of worker processes.")] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log all events, not only problems.")] = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from app.cli.local_service import run_until_stopped

    run_until_stopped(data, host, port, workers, "info" if verbose else "warning")
