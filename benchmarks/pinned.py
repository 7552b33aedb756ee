"""`python -m benchmarks.pinned`: the speedup of a second worker, when each has one thread and one core of its own.

A job of n images of the model faces-64 is timed from the request to its end: with one worker on core 0, and with two
workers on cores 0 and 1. Queue server and API start as in `imagemill up` and may use both cores. Their CPU time is in
the table, because the two workers lose it. A warm-up job comes first: it shows the API the speed of the workers, as
in a service that runs for longer than a second.

The sizes of the shards limit the speedup, too: a worker that finds no shard left is idle until the other one is done.
The last column is the speedup that the shards alone would allow.
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
from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses
from worker.contracts.jobs import JobSpec

_MODEL = "faces-64"
_WARM_UP_IMAGES = 2000
_GOAL = 1.8
_HEAD = (
    "workers",
    "s",
    "images/s",
    "workers CPU s",
    "API CPU s",
    "queue CPU s",
    "shards",
    "speedup allowed by the shards",
)


@dataclass(frozen=True)
class Measurement:
    """One job: CPU seconds by part, and the images in its shards."""

    seconds: float
    cpu_s: dict[str, float]
    shards: list[int]


def main(
    n: Annotated[int, typer.Option(min=1, help="Images in a job.")] = 10_000,
    repeats: Annotated[int, typer.Option(min=1, help="Jobs for each number of workers, of which the median.")] = 3,
) -> None:
    """Measure one worker and two, and print a table."""
    measurements: dict[int, list[Measurement]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ServiceProcesses(Path(folder)) as service:
        for _ in range(repeats):
            for workers, found in measurements.items():
                found.append(_measure(service, workers, n))
    console.print(table.markdown(_HEAD, [_row(workers, n, found) for workers, found in measurements.items()]))
    one, two = (median(one.seconds for one in measurements[workers]) for workers in (1, 2))
    console.print(f"\nTwo workers are {one / two:.2f} times as fast as one; the goal is {_GOAL}.")


def speedup(shards: Sequence[int], workers: int) -> float:
    """Return the speedup of several workers, if time is proportional to the images of a shard.

    Shards are taken in their order by the first free worker.
    """
    busy_until = [0] * workers
    for images in shards:
        busy_until[busy_until.index(min(busy_until))] += images
    return sum(shards) / max(busy_until)


def _measure(service: ServiceProcesses, workers: int, n: int) -> Measurement:
    service.start_workers(workers, WORKER, {"IMAGEMILL_THREADS": "1"}, is_pinned=True)
    with Client(service.url, notify=console.print) as client:
        _job(client, _WARM_UP_IMAGES)
        before, began = service.cpu_seconds(), time.perf_counter()
        job_id = _job(client, n)
        seconds = time.perf_counter() - began
    cpu_s = {part: after - before[part] for part, after in service.cpu_seconds().items()}
    spec = service.store.jobs.spec(job_id)
    service.stop_workers()
    return Measurement(seconds, cpu_s, _sizes(spec) if spec else [])


def _job(client: Client, n: int) -> str:
    job = client.generate(n=n, model=_MODEL)
    for news in client.follow(job):
        job = news
    return job.id


def _sizes(spec: JobSpec) -> list[int]:
    return [len(spec.shard_indices(shard)) for shard in range(spec.shard_count)]


def _row(workers: int, n: int, measurements: list[Measurement]) -> tuple[str, ...]:
    seconds = median(one.seconds for one in measurements)
    cpu_s = (
        f"{median(measurement.cpu_s[part] for measurement in measurements):.2f}" for part in ("workers", "api", "queue")
    )
    bound = median(speedup(one.shards, workers) for one in measurements)
    shards = f"{median(len(one.shards) for one in measurements):.0f}"
    return (f"{workers}", f"{seconds:.3f}", f"{n / seconds:.0f}", *cpu_s, shards, f"{bound:.2f}")


if __name__ == "__main__":
    run(main)
