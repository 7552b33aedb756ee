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
    runs: Annotated[Path | None, typer.Option(help="Folder of training runs, which the page shows.")] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log all events, not only problems.")] = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from app.cli.local_service import run_until_stopped

    log_level = "info" if verbose else "warning"
    run_until_stopped(data, host, port, workers, log_level, runs=runs, is_opened=is_opened)
