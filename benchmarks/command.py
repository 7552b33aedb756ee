"""How a benchmark is started as a command: on Linux, and so that it ends what it has started."""

import signal
import sys
from collections.abc import Callable

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True, markup=False)


def run(main: Callable[..., None]) -> None:
    """Run a benchmark with the options of its command line."""
    if sys.platform != "linux":
        sys.exit("this benchmark reads /proc, which only Linux has")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no process is left behind
    typer.run(main)
