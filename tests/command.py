"""The installed command, run as a person runs it."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from imagemill import start
from imagemill.start import command
from tests import forked

COMMAND = command()
ENVIRONMENT = {**os.environ, **forked.VARIABLES}
_SECONDS = 100
_CODE = "from imagemill.start import _run_module; _run_module()"


def imagemill(*arguments: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `imagemill` to its end; `prefix` is a command that runs it, all else goes to `subprocess.run`."""
    line = [*COMMAND, *map(str, arguments)]
    if not options and forked.can_fork(ENVIRONMENT):
        return forked.run(_CODE, line[line.index(start.__file__) :], cwd, ENVIRONMENT, _SECONDS)
    return run([*options.pop("prefix", []), *line], cwd, **options)


def run(line: list[str], cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and keep what it says."""
    return subprocess.run(
        line, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=_SECONDS, check=False, **options
    )


def heed_interrupts() -> None:
    """Undo the setting of a shell that starts the tests in the background: such processes ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
