"""`python -m benchmarks.mark_cost [MODEL]`: images per second with and without marks, and the bytes of a mark.

The rendering pipeline of a worker runs in this process: latents, generator, encoder, mark, checksums. Rounds with and
without marks alternate, so that a load of the machine meets both. Each share is a median over pairs of rounds.
The time of the marks alone is measured in one thread.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from statistics import median
from typing import Annotated, NamedTuple

import torch
import typer

from benchmarks import table
from benchmarks.command import console, run
from models import registry
from worker.contracts.cut import Cut
from worker.contracts.formats import Format, Marking
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_address import MAX_NUMBER
from worker.contracts.marks.image_marker import ImageMarker
from worker.renderer import Renderer
from worker.rendering.encoding import EncodedImage
from worker.rendering.engine import RenderEngine

_FORMATS: tuple[Format, ...] = ("png", "webp", "jpeg")
_MOST_BYTES, _MOST_PERCENT = 650, 2.0
"""Goals: bytes of a mark, and the loss of images per second."""
_HEAD = (
    "format",
    "images/s",
    "with marks",
    "loss, %",
    "more CPU time, %",
    "us a mark",
    "bytes without",
    "bytes of a mark",
)
_MARKINGS: tuple[Marking, ...] = ("none", "xmp-1")


class _Times(NamedTuple):
    """The times of one round."""

    seconds: float
    cpu_seconds: float
    """Time of all threads on processors. Other processes hardly change it."""


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint, or the name of a shipped model.")] = "faces-64",
    n: Annotated[int, typer.Option(min=1, help="Images in a round.")] = 1024,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds with marks, and as many without.")] = 15,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; default: one for each processor.")] = None,
) -> None:
    """Measure each format, and print a table."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(1)
    engine = RenderEngine([registry.find(model)], device)
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as executor:
        renderer = Renderer(executor, threads, patience_seconds=60)
        rows = [_measure(engine, renderer, file_format, n, rounds) for file_format in _FORMATS]
    console.print(f"{engine.numerics.name}, {threads} threads, {n} images a round, {rounds} pairs of rounds\n")
    console.print(table.markdown(_HEAD, rows))
    console.print(f"\nGoals: a loss of at most {_MOST_PERCENT:g} %, and at most {_MOST_BYTES} bytes a mark.")


def _measure(engine: RenderEngine, renderer: Renderer, file_format: Format, n: int, rounds: int) -> list[str]:
    specs = [_spec(engine, file_format, marking) for marking in _MARKINGS]
    for spec in specs:  # warm up
        _render(engine, renderer, spec, n)
    times = [[_time(engine, renderer, spec, n) for spec in specs] for _ in range(rounds)]
    plain, marked = (n / median(each.seconds for each in column) for column in zip(*times, strict=True))
    loss = median(100 * (1 - without.seconds / with_marks.seconds) for without, with_marks in times)
    more_cpu = median(100 * (with_marks.cpu_seconds / without.cpu_seconds - 1) for without, with_marks in times)
    files, marks = (_render(engine, renderer, spec, n) for spec in specs)
    mark_bytes = max(len(mark.data) - len(file.data) for file, mark in zip(files, marks, strict=True))
    mean_bytes = sum(len(file.data) for file in files) / n
    microseconds = 1e6 * _seconds_of_marks(specs[1], files) / n
    figures = (
        f"{plain:.0f}",
        f"{marked:.0f}",
        f"{loss:.2f}",
        f"{more_cpu:.2f}",
        f"{microseconds:.1f}",
        f"{mean_bytes:.0f}",
    )
    return [file_format, *figures, str(mark_bytes)]


def _spec(engine: RenderEngine, file_format: Format, marking: Marking) -> JobSpec:
    return JobSpec(
        id="x" * 22,
        model=engine.entries[0],
        class_label=None,
        n=1 << 20,
        seed=MAX_NUMBER,
        first=MAX_NUMBER - (1 << 20),
        format=file_format,
        marking=marking,
        archive_version=4,
        cut=Cut(first=engine.numerics.batch_size, most=engine.numerics.batch_size),
        created=datetime.now(UTC),
    )


def _render(engine: RenderEngine, renderer: Renderer, spec: JobSpec, n: int) -> list[EncodedImage]:
    indices = range(spec.first, spec.first + n)
    parts = renderer.render(spec, engine.model(spec.model), indices, lambda: True)
    return [candidate.image for part in parts for candidate in part if candidate.image is not None]


def _time(engine: RenderEngine, renderer: Renderer, spec: JobSpec, n: int) -> _Times:
    started, cpu_started = time.perf_counter(), time.process_time()
    _render(engine, renderer, spec, n)
    return _Times(time.perf_counter() - started, time.process_time() - cpu_started)


def _seconds_of_marks(spec: JobSpec, files: list[EncodedImage]) -> float:
    """Return the shortest time of several, because other processes only add to it."""
    times = []
    for _ in range(5):
        marker, started = ImageMarker(spec), time.perf_counter()
        for file in files:
            marker.mark(file.data, file.index, 0)
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    run(main)
