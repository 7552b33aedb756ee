"""`python -m benchmarks.pinned`: what a second worker adds, when each has one thread and one core of its own.

One worker on core 0 and two workers on cores 0 and 1 take turns with a job of n images of the model faces-64, from the
request until it has ended. The queue server and the API are started as `imagemill up` does and may use both cores:
what they cost, the two workers lose, and their CPU time is in the table. Before it is timed, each pair renders a job
that tells the API how fast they are, as in a service that runs for longer than a second.

The cut of a job into shards has its share too: a worker that finds no shard left is idle until the other one is done.
The last column is the speedup that the cut alone would allow, if nothing else cost anything.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from app.client import Client
from benchmarks import table
from benchmarks.assembly import WORKER, Assembly
from benchmarks.command import console, run
from worker.contracts.jobs import JobSpec

_MODEL = "faces-64"
_WARM_UP_IMAGES = 2000
_GOAL = 1.8
_HEAD = ("workers", "s", "images/s", "workers CPU s", "API CPU s", "queue CPU s", "shards", "speedup of the cut alone")


@dataclass(frozen=True)
class Turn:
    """One job: CPU seconds by part, and the images in its shards."""

    seconds: float
    cpu_s: dict[str, float]
    shards: list[int]


def main(
    n: Annotated[int, typer.Option(min=1, help="Images in a job.")] = 10_000,
    repeats: Annotated[int, typer.Option(min=1, help="Jobs for each number of workers, of which the median.")] = 3,
) -> None:
    """Measure one worker and two, and print a table."""
    turns: dict[int, list[Turn]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, Assembly(Path(folder)) as assembly:
        for _ in range(repeats):
            for workers, found in turns.items():
                found.append(_turn(assembly, workers, n))
    console.print(table.markdown(_HEAD, [_row(workers, n, found) for workers, found in turns.items()]))
    one, two = (median(turn.seconds for turn in turns[workers]) for workers in (1, 2))
    console.print(f"\nTwo workers are {one / two:.2f} times as fast as one; the goal is {_GOAL}.")


def speedup(shards: Sequence[int], workers: int) -> float:
    """Tell how much faster workers are than one if a shard takes as long as it has images, and nothing else does.

    Shards are taken in their order by whoever is free.
    """
    busy_until = [0] * workers
    for images in shards:
        busy_until[busy_until.index(min(busy_until))] += images
    return sum(shards) / max(busy_until)


def _turn(assembly: Assembly, workers: int, n: int) -> Turn:
    assembly.start_workers(workers, WORKER, {"IMAGEMILL_THREADS": "1"}, is_pinned=True)
    with Client(assembly.url, notify=console.print) as client:
        _job(client, _WARM_UP_IMAGES)
        before, began = assembly.cpu_seconds(), time.perf_counter()
        job_id = _job(client, n)
        seconds = time.perf_counter() - began
    cpu_s = {part: after - before[part] for part, after in assembly.cpu_seconds().items()}
    spec = assembly.store.jobs.spec(job_id)
    assembly.stop_workers()
    return Turn(seconds, cpu_s, _sizes(spec) if spec else [])


def _job(client: Client, n: int) -> str:
    job = client.generate(n=n, model=_MODEL)
    for news in client.follow(job):
        job = news
    return job.id


def _sizes(spec: JobSpec) -> list[int]:
    return [len(spec.shard_indices(shard)) for shard in range(spec.shard_count)]


def _row(workers: int, n: int, turns: list[Turn]) -> tuple[str, ...]:
    seconds = median(turn.seconds for turn in turns)
    cpu_s = (f"{median(turn.cpu_s[part] for turn in turns):.2f}" for part in ("workers", "api", "queue"))
    bound = median(speedup(turn.shards, workers) for turn in turns)
    shards = f"{median(len(turn.shards) for turn in turns):.0f}"
    return (f"{workers}", f"{seconds:.3f}", f"{n / seconds:.0f}", *cpu_s, shards, f"{bound:.2f}")


if __name__ == "__main__":
    run(main)
