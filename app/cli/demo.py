"""The command `imagemill demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    n: Annotated[int, typer.Option("-n", "--n", min=1, max=100_000, help="Number of images.")] = 500,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Output file.", dir_okay=False), "overwrites with --force"
    ] = Path("faces.zip"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Start a private service, generate images with it, save them, and stop it."""
    from app.cli.demo_run import run_demo

    run_demo(n, out, is_forced=force)
