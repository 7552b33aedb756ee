"""`python -m benchmarks.long_job`: speed and memory of a large job, from its first image to its last.

`imagemill up --workers 1` renders n images of the model faces-64, while a client reads and drops the growing archive.
Every half second, the resident memory of API and worker and the number of rendered images are sampled. The speed of
each tenth of the job is interpolated linearly between the samples. Memory "at rest" is measured when the service is
ready: the worker then holds torch and its models. Peaks are the kernel's own, since the start of the process.
"""

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.client import Client
from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service import engines, processes
from benchmarks.service.client import connect
from benchmarks.service.server import Server

_MODEL = "faces-64"
_SAMPLE_SECONDS = 0.1
_TENTHS = 10
_PARTS = ("api", "worker")
_SHARES = (0.2, 0.5, 1.0)
_MOST_MB = {"api": 200, "worker": 1500}
"""Goals: the API's peak, and the worker's peak above its memory at rest."""


@dataclass(frozen=True)
class Sample:
    """One sample of a running job."""

    seconds: float
    """Time since the request."""
    images: int
    """Number of rendered images."""
    rss_mb: dict[str, float]


@dataclass(frozen=True)
class Course:
    """All samples of a job."""

    samples: list[Sample]
    seconds: float
    """Time until the last byte arrived."""
    archive_mb: float
    at_rest_mb: dict[str, float]
    peak_mb: dict[str, float]


def main(n: Annotated[int, typer.Option(min=10, help="Images in the job.")] = 100_000) -> None:
    """Run the job, and print two tables."""
    engine = next(engine for engine in engines.own() if engine.name == "imagemill")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, Server(engine, Path(folder)) as server:
        course = _course(server, n)
    console.print(
        f"{n} images, {course.archive_mb:.0f} MB, in {course.seconds:.1f} s: {n / course.seconds:.0f} images/s\n"
    )
    rates = tenths([(sample.seconds, sample.images) for sample in course.samples], n)
    console.print(table.markdown(["tenth", *(f"{k + 1}" for k in range(_TENTHS)), "last / first"], [_rates_row(rates)]))
    head = (
        "memory, MB",
        "at rest",
        *(f"at {share:.0%}" for share in _SHARES),
        "100% / 20%",
        "peak",
        "above rest",
        "goal",
    )
    console.print("\n" + table.markdown(head, [_memory_row(course, part, n) for part in _PARTS]))


def tenths(samples: Sequence[tuple[float, int]], n: int) -> list[float]:
    """Return the images/s in each tenth of a job. Samples are (seconds, images) pairs that grow from 0 to n images."""
    times = [_reached(samples, n * k / _TENTHS) for k in range(_TENTHS + 1)]
    return [n / _TENTHS / (after - before) for before, after in pairwise(times)]


def _reached(samples: Sequence[tuple[float, int]], images: float) -> float:
    """Return the time of an image, interpolated linearly between two samples."""
    for (start, less), (stop, more) in pairwise(samples):
        if less <= images <= more and less < more:
            return start + (stop - start) * (images - less) / (more - less)
    raise ValueError(f"samples up to {samples[-1][1]} images do not tell when {images:g} were done")


def _course(server: Server, n: int) -> Course:
    pids = {part: server.process(part) for part in _PARTS}

    def rss_mb() -> dict[str, float]:
        return {part: processes.rss_mb(pid) for part, pid in pids.items()}

    at_rest = rss_mb()
    with (
        Client(server.url, notify=console.print) as client,
        connect(server.url) as http,
        ThreadPoolExecutor(1) as reader,
    ):
        began = time.perf_counter()
        job = client.generate(n=n, model=_MODEL)
        read = reader.submit(_read, http, job.links.download)
        samples = [Sample(0.0, 0, at_rest)]
        while not (job := client.job(job.id)).done:
            samples.append(Sample(time.perf_counter() - began, job.images_done, rss_mb()))
            time.sleep(_SAMPLE_SECONDS)
        ended, size = read.result()
    samples.append(Sample(ended - began, n, rss_mb()))  # polling finds the end up to half a second later
    peak_mb = {part: processes.peak_mb([pid]) for part, pid in pids.items()}
    return Course(samples, ended - began, size / 1e6, at_rest, peak_mb)


def _read(http: httpx.Client, path: str) -> tuple[float, int]:
    """Read and drop an archive. Returns the time of the last byte, and the number of bytes."""
    with http.stream("GET", path) as response:
        response.raise_for_status()
        size = sum(len(chunk) for chunk in response.iter_raw())
    return time.perf_counter(), size


def _rates_row(rates: Sequence[float]) -> list[str]:
    return ["images/s", *(f"{rate:.0f}" for rate in rates), f"{rates[-1] / rates[0]:.2f}"]


def _memory_row(course: Course, part: str, n: int) -> list[str]:
    rest, peak = course.at_rest_mb[part], course.peak_mb[part]
    course_mb = [_first_at(course.samples, n * share).rss_mb[part] for share in _SHARES]
    growth = f"{course_mb[-1] / course_mb[0]:.2f}"
    counted = peak - rest if part == "worker" else peak
    goal = f"{counted:.0f} < {_MOST_MB[part]}: {'yes' if counted < _MOST_MB[part] else 'no'}"
    return [part, f"{rest:.0f}", *(f"{mb:.0f}" for mb in course_mb), growth, f"{peak:.0f}", f"{peak - rest:.0f}", goal]


def _first_at(samples: Sequence[Sample], images: float) -> Sample:
    return next(sample for sample in samples if sample.images >= images)


if __name__ == "__main__":
    run(main)
