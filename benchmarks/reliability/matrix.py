"""The kill matrix: all cells, in groups that run in parallel, each with services of its own."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.cell import MOMENTS, Cell, Outcome, run
from benchmarks.reliability.faults import DISK_FULL, Fault, others, signals
from benchmarks.reliability.service_under_test import ServiceUnderTest
from tests.calibrated_gate import save_calibrated_gate
from tests.tiny import PLAIN, save_checkpoint

_DISK_MB = 24

Say = Callable[[Outcome], None]


@dataclass(frozen=True)
class Group:
    """Cells that run one after the other. A failed cell gets a new service for the rest."""

    name: str
    cells: tuple[Cell, ...]
    apis: int = 1
    is_disk_small: bool = False


def groups() -> list[Group]:
    """List all cells; the longest groups come first."""
    found = [
        Group(target, _crossed(signals(target)), 2 if target == "reconciler" else 1)
        for target in ("worker", "reconciler", "api", "queue")
    ]
    return [*found, Group("others", _crossed(others()), is_disk_small=True)]


def run_all(wanted: Iterable[Group], lanes: int, say: Say, keep: float = 1) -> list[Outcome]:
    """Run some groups at once. `say` is called after each cell. `keep` is the share that a quality gate keeps."""
    with tempfile.TemporaryDirectory(prefix="kill-matrix-") as folder, ThreadPoolExecutor(lanes) as threads:
        models = Path(folder) / "models"
        models.mkdir()
        save_checkpoint(models, PLAIN)
        save_calibrated_gate(models / f"{PLAIN}.safetensors")
        running = [threads.submit(_run_group, Path(folder), models, group, say, keep) for group in wanted]
        return [outcome for ran in running for outcome in ran.result()]


def _run_group(folder: Path, models: Path, group: Group, say: Say, keep: float) -> list[Outcome]:
    left, outcomes = list(group.cells), []
    while left:
        home = folder / f"{group.name}-{len(left)}"
        home.mkdir()
        request = {"keep": keep} if keep < 1 else {}
        with (
            _disk(home / "store", group) as is_small,
            ServiceUnderTest(home, models, PLAIN, group.apis, request=request) as service,
        ):
            for outcome in _run_cells(service, left, is_small):
                say(outcome)
                outcomes.append(outcome)
    return outcomes


def _run_cells(service: ServiceUnderTest, left: list[Cell], is_small: bool) -> Iterator[Outcome]:
    """Run the remaining cells until one fails. The service may then be in any state."""
    while left:
        cell = left.pop(0)
        if cell.fault.name == DISK_FULL and not is_small:
            yield Outcome(cell, failure="not tried: a small disk could not be mounted")
            continue
        outcome = run(service, cell)
        yield outcome
        if outcome.failure:
            return


@contextmanager
def _disk(store: Path, group: Group) -> Iterator[bool]:
    """Mount a disk of a few megabytes below the store, where this process may do so."""
    store.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(store)]
    is_mounted = bool(group.is_disk_small and mount and umount) and _succeeds(command)
    try:
        yield is_mounted
    finally:
        if is_mounted:
            _succeeds([umount or "umount", "--lazy", str(store)])


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _crossed(faults: list[Fault]) -> tuple[Cell, ...]:
    return tuple(Cell(fault, moment) for fault in faults for moment in MOMENTS)
