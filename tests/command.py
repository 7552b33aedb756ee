"""The installed command, run as a person runs it."""

import os
import subprocess
from pathlib import Path
from typing import Any

from imagemill.start import command

COMMAND = command()
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "120"}


def imagemill(*arguments: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `imagemill` to its end; `prefix` is a command that runs it, all else goes to `subprocess.run`."""
    return run([*options.pop("prefix", []), *COMMAND, *map(str, arguments)], cwd, **options)


def run(line: list[str], cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and keep what it says."""
    return subprocess.run(
        line, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=100, check=False, **options
    )
