"""One cell of the kill matrix: bring a job to a moment, let something go wrong, and see that nothing is lost."""

import time
from dataclasses import dataclass

from benchmarks.reliability.faults import Fault
from benchmarks.reliability.inspection import FoundError
from benchmarks.reliability.ward import LONG, SHORT, Ward, WardError, until

MOMENTS = ("queued", "popped", "rendering", "committing", "finalising")
_SIGNAL_SECONDS = 0.3
"""For a signal to be noticed by who is held at a gate."""


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
        jobs += [(job_id, SHORT) for job_id in ward.try_accepted(SHORT)]
        time.sleep(cell.fault.seconds)
        healed = time.monotonic()
        cell.fault.heal(ward)
        for job_id, _ in jobs:
            ward.wait_done(job_id)
        seconds = time.monotonic() - healed
        cell.fault.afterwards(ward)
        for job_id, n in jobs:
            ward.inspect(job_id, n)
    except (WardError, FoundError) as error:
        return Outcome(cell, failure=str(error))
    return Outcome(cell, len(jobs), seconds)


def _bring(ward: Ward, moment: str) -> list[tuple[str, int]]:
    """Have a job at a moment; a queued one waits behind another that was just taken from the queue."""
    ward.gates.arm(moment)
    jobs = [(ward.accepted(n), n) for n in ((SHORT, LONG) if moment == "queued" else (LONG,))]
    until(lambda: ward.gates.is_reached(moment))
    return jobs
