"""One cell of the kill matrix: bring a job to a moment, let something go wrong, and see that nothing is lost."""

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.faults import Fault
from benchmarks.reliability.inspection import check_files, image_hashes
from benchmarks.reliability.ward import LONG, SHORT, Ward, WardError, until

MOMENTS = ("queued", "popped", "rendering", "committing", "finalising")
_SIGNAL_SECONDS = 0.3
"""For a signal to be noticed by who is held at a gate."""
_SETTLE_SECONDS = 45
"""A job whose worker died before it could settle it is settled after 30 s."""


@dataclass(frozen=True)
class Cell:
    """A fault at a moment."""

    fault: Fault
    moment: str

    def __str__(self) -> str:
        """Name it, for the table."""
        return f"{self.fault.target}, {self.moment}, {self.fault.name}"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell."""

    cell: Cell
    jobs: int = 0
    seconds: float = 0.0
    """From when all was healed until the last accepted job had ended."""
    failure: str | None = None


def run(ward: Ward, cell: Cell) -> Outcome:
    """Run a cell; the ward is as good as before if it does not fail."""
    try:
        jobs = _bring(ward, cell.moment)
        cell.fault.strike(ward)
        time.sleep(_SIGNAL_SECONDS)
        ward.gates.open(cell.moment)
        jobs += {job_id: SHORT for job_id in ward.try_accepted(SHORT)}.items()
        time.sleep(cell.fault.seconds)
        healed = time.monotonic()
        cell.fault.heal(ward)
        for job_id, _ in jobs:
            ward.wait_done(job_id)
        seconds = time.monotonic() - healed
        cell.fault.afterwards(ward)
        for job_id, n in jobs:
            _inspect(ward, job_id, n)
    except (WardError, AssertionError) as error:
        return Outcome(cell, failure=str(error))
    return Outcome(cell, len(jobs), seconds)


def _bring(ward: Ward, moment: str) -> list[tuple[str, int]]:
    """Have a job at a moment; a queued one waits behind another that was just taken from the queue."""
    ward.gates.arm(moment)
    jobs = [(ward.accepted(n), n) for n in ((SHORT, LONG) if moment == "queued" else (LONG,))]
    until(lambda: ward.gates.is_reached(moment))
    return jobs


def _inspect(ward: Ward, job_id: str, n: int) -> None:
    """Raise AssertionError unless a job has all that was asked for, once."""
    job = ward.wait_done(job_id)
    assert (job["state"], job["images_done"]) == ("succeeded", n), job
    assert image_hashes(ward.download(job_id)) == ward.expected[:n], "other images than undisturbed"
    spec = ward.artifacts.spec(job_id)
    assert spec is not None
    reasons: list[str] = []

    def is_tidy() -> bool:
        try:
            check_files(ward.store, spec)
        except AssertionError as error:
            reasons.append(str(error))
            return False
        return True

    try:
        until(is_tidy, _SETTLE_SECONDS)
    except WardError as error:
        raise AssertionError(reasons[-1]) from error
    ward.discard(job_id)


def work_folder(folder: Path, name: str) -> Path:
    """Make a folder of its own for a ward."""
    path = folder / name
    path.mkdir()
    return path
