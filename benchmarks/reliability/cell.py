"""One cell of the kill matrix: run a job to a moment, apply a fault, undo it, and check that nothing is lost."""

import time
from dataclasses import dataclass

from benchmarks.reliability.faults import Fault
from benchmarks.reliability.inspection import InspectionError
from benchmarks.reliability.service_under_test import LONG, SHORT, NotInTimeError, ServiceUnderTest, wait_until

MOMENTS = ("queued", "popped", "rendering", "committing", "finalising")
_SIGNAL_SECONDS = 0.3
"""Time for a stopped worker to notice a signal."""


@dataclass(frozen=True)
class Cell:
    """A fault at a moment."""

    fault: Fault
    moment: str

    def __str__(self) -> str:
        """Return the name of the cell in the table."""
        return f"{self.fault.target}, {self.moment}, {self.fault.name}"


@dataclass(frozen=True)
class Outcome:
    """The result of a cell."""

    cell: Cell
    jobs: int = 0
    seconds: float = 0.0
    """Time from the end of the fault until the last accepted job had ended."""
    failure: str | None = None


def run(service: ServiceUnderTest, cell: Cell) -> Outcome:
    """Run a cell. If it does not fail, the service can be used for the next cell."""
    try:
        jobs = _run_to(service, cell.moment)
        cell.fault.apply(service)
        time.sleep(_SIGNAL_SECONDS)
        service.breakpoints.release(cell.moment)
        jobs += [(job_id, SHORT) for job_id in service.try_submit(SHORT)]
        time.sleep(cell.fault.seconds)
        undone = time.monotonic()
        cell.fault.undo(service)
        for job_id, _ in jobs:
            service.wait_done(job_id)
        seconds = time.monotonic() - undone
        cell.fault.afterwards(service)
        for job_id, n in jobs:
            service.inspect(job_id, n)
    except (NotInTimeError, InspectionError) as error:
        return Outcome(cell, failure=str(error))
    return Outcome(cell, len(jobs), seconds)


def _run_to(service: ServiceUnderTest, moment: str) -> list[tuple[str, int]]:
    """Run a job to a moment. A queued job waits behind another one that was just taken from the queue."""
    service.breakpoints.arm(moment)
    jobs = [(service.submit(n), n) for n in ((SHORT, LONG) if moment == "queued" else (LONG,))]
    wait_until(lambda: service.breakpoints.is_reached(moment))
    return jobs
