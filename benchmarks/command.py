"""Runs a benchmark as a command, on Linux only. A signal ends all processes that it has started."""

import signal
import sys
from collections.abc import Callable, Collection

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True, markup=False)


def run(main: Callable[..., None]) -> None:
    """Run a benchmark with the options of its command line."""
    if sys.platform != "linux":
        sys.exit("this benchmark reads /proc, which only Linux has")
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # an exception, so that context managers end their processes
    typer.run(main)


def choose_modes(modes: str, known: Collection[str]) -> list[str]:
    """Split the option of the modes of a benchmark; `all` stands for all. Raises typer.BadParameter for others."""
    chosen = list(known) if modes == "all" else modes.split(",")
    if unknown := set(chosen) - set(known):
        raise typer.BadParameter(f"no mode {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return chosen
