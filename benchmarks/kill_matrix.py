"""`python -m benchmarks.kill_matrix`: hit each part of the service at each moment of a job.

Parts: a worker, the API, the queue server, and the reconciler (of two API processes, the one whose reconciler is at
work). Moments: queued, popped, rendering, committing, finalising. Each is killed, told to end, or frozen for longer
than a lease, while a job of 208 images in four shards is just there; besides, the queue server is emptied or wants
another password, the disk fills up, or no file of a worker may be longer than 1000 bytes. Nothing may be lost. What was
killed is started again after a second, as a supervisor would.

All are real processes. So that a moment of microseconds can be hit, a worker waits there for us, between two lines of
its code that it runs anyway (benchmarks/reliability/worker.py); nothing else is changed.

A cell is well if every job that was answered with a 202, during the fault as well, has succeeded within 60 s of the end
of the fault, with exactly n images, each with the sha256 of the undisturbed run, in one archive, and if the store has
nothing besides.
"""

from typing import Annotated

import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.reliability.cell import MOMENTS, Outcome
from benchmarks.reliability.matrix import groups, run_all

_HEAD = ("what", "how", *MOMENTS)


def main(lanes: Annotated[int, typer.Option(min=1, help="Services that are hit at once.")] = 4) -> None:
    """Run all cells and print a table of the seconds from the end of a fault to the last job's end."""
    outcomes = run_all(groups(), lanes, _say)
    found = {(o.cell.fault.target, o.cell.fault.name, o.cell.moment): o for o in outcomes}
    faults = list(dict.fromkeys((target, name) for target, name, _ in found))
    rows = [(*fault, *(_mark(found[*fault, moment]) for moment in MOMENTS)) for fault in faults]
    console.print(f"\n{table.markdown(_HEAD, rows)}")
    failed = sum(outcome.failure is not None for outcome in outcomes)
    jobs, longest = sum(outcome.jobs for outcome in outcomes), max(outcome.seconds for outcome in outcomes)
    console.print(f"\n{len(outcomes)} cells, {failed} of them not well; {jobs} jobs, the last after {longest:.1f} s.")
    raise typer.Exit(1 if failed else 0)


def _say(outcome: Outcome) -> None:
    console.print(f"{outcome.cell}: {outcome.failure or f'{outcome.seconds:.1f} s'}")


def _mark(outcome: Outcome) -> str:
    return "FAILED" if outcome.failure else f"{outcome.seconds:.1f}"


if __name__ == "__main__":
    run(main)
