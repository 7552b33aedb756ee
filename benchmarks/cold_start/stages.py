"""The parts of a cold start, each measured alone in processes of its own: name -> seconds."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.service_processes import WORKER, ServiceProcesses

_UP = "import app.cli.main, app.local.supervisor"
_US = 1e-6

Stages = dict[str, float]


class StageError(Exception):
    """A measured process did not do its work."""


def interpreter() -> Stages:
    """Start Python, and import the modules that `imagemill up` needs."""
    bare, with_imports = _seconds("pass"), _seconds(_UP)
    return {"interpreter": bare, "imports of imagemill up": with_imports - bare}


def imports_of_the_api() -> Stages:
    """Import app.main, with the time that Python itself reports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import app.main"], capture_output=True, text=True, check=True
    )
    return {"imports of the API": imported_seconds(done.stderr, "app.main")}


def imported_seconds(report: str, module: str) -> float:
    """Return the seconds of a module and its imports, from the report of `python -X importtime`."""
    for line in report.splitlines():
        _, _, figures = line.partition("import time:")
        cells = [cell.strip() for cell in figures.split("|")]
        if cells[-1] == module:
            return int(cells[1]) * _US
    raise StageError(f"{module} was not imported")


def parts() -> Stages:
    """Start queue server, API and worker one after the other. Each is timed until it answers."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ServiceProcesses(Path(folder)) as service:
        service.start_workers(1, WORKER, {})
        found = service.ready_seconds
        return {"queue server": found["queue"], "API": found["api"], "worker": found["worker0"]}


def worker() -> Stages:
    """Time the steps of a worker's start."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cold_start.worker_probe"], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return {f"worker: {name}": seconds for name, seconds in found.items()}


def _seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began
