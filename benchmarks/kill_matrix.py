"""`python -m benchmarks.kill_matrix`: applies each fault to each part of the service at each moment of a job.

Parts: a worker, the API, the queue server, and the reconciler (of two API processes, the leading one).
Moments: queued, popped, rendering, committing, finalising; a job of 208 images in four shards has just reached them.
Faults: the part is killed, terminated, or frozen for longer than a lease. Others: the queue server is emptied or gets
another password, the disk fills up, or files of a worker are limited to 1000 bytes. A killed part is started again
after a second, as a supervisor would do it.

All parts are real processes. A moment lasts microseconds, so the worker waits there between two lines of its code
(benchmarks/reliability/worker.py). The rest of its code is unchanged.

With `--keep 0.5`, all jobs have a quality gate. They have the same number of images, and about twice the candidates.

A cell passes if every accepted job, also of the time of the fault, succeeds within 60 s of the end of the fault. The
job must have exactly n images, each with the sha256 of the undisturbed run, in one archive. The store must have no
other object, except shards beyond the last image of a job with a quality gate.
"""

from typing import Annotated

import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.reliability.cell import MOMENTS, Outcome
from benchmarks.reliability.matrix import groups, run_all

_HEAD = ("what", "how", *MOMENTS)


def main(
    lanes: Annotated[int, typer.Option(min=1, help="Services that are tested at once.")] = 4,
    keep: Annotated[float, typer.Option(min=0.001, max=1, help="Share that a quality gate keeps; 1: no gate.")] = 1,
) -> None:
    """Run all cells and print a table of the seconds from the end of a fault to the last job's end."""
    outcomes = run_all(groups(), lanes, _say, keep)
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
