"""`python -m benchmarks.layouts`: speed and memory of a large job in each layout of archives.

For each layout, `imagemill up --workers 1` renders n images of the model faces-64, while a client reads and drops the
growing archive. Memory is the kernel's own peak since the start of each process. `above rest` is that of the worker
above its memory when the service is ready. `kept` renders with `keep=0.5`: images of a Parquet file or an array that
were not all kept are laid out again when the job ends, which the seconds after the last image include.
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service import engines, processes
from benchmarks.service.client import connect
from benchmarks.service.server import Server

_MODEL = "faces-64"
_POLL_SECONDS = 0.2
_QUERIES: dict[str, dict[str, str]] = {
    "imagefolder": {},
    "parquet": {"layout": "parquet"},
    "webdataset": {"layout": "webdataset"},
    "npz": {"format": "npz"},
}
_SELECTION = {"keep": "0.5", "distinct": "1"}


@dataclass(frozen=True)
class Cost:
    """The time, the memory and the bytes of one job."""

    seconds: float
    """Time until the last byte arrived."""
    end_seconds: float
    """Part of it after the last image was rendered."""
    archive_bytes: int
    api_mb: float
    worker_mb: float
    """Peak of the worker above its memory at rest."""


def main(
    n: Annotated[int, typer.Option(min=10, help="Images in each job.")] = 100_000,
    kept: Annotated[int, typer.Option(min=10, help="Images in each job with a selection.")] = 10_000,
) -> None:
    """Run a job of each kind, and print a table."""
    rows = []
    for selection, images in (({}, n), (_SELECTION, kept)):
        for name, query in _QUERIES.items():
            cost = _measure({"n": images, "model": _MODEL, "seed": 1, **query, **selection})
            rows.append([f"{name}{', kept' if selection else ''}", f"{images}", *_cells(cost, images)])
    head = ("layout", "images", "s", "images/s", "s at the end", "bytes/image", "API peak, MB", "worker above rest, MB")
    console.print(table.markdown(head, rows))


def _cells(cost: Cost, images: int) -> list[str]:
    figures = (f"{cost.seconds:.1f}", f"{images / cost.seconds:.0f}", f"{cost.end_seconds:.1f}")
    memory = (f"{cost.api_mb:.0f}", f"{cost.worker_mb:.0f}")
    return [*figures, f"{cost.archive_bytes / images:.0f}", *memory]


def _measure(query: dict[str, Any]) -> Cost:
    engine = next(engine for engine in engines.own() if engine.name == "imagemill")
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Server(engine, Path(folder)) as server,
        connect(server.url) as http,
        ThreadPoolExecutor(1) as reader,
    ):
        api, worker = server.process("api"), server.process("worker")
        at_rest, began = processes.rss_mb(worker), time.perf_counter()
        job = http.post("/generate", params=query).raise_for_status().json()
        read = reader.submit(_read, http, job["links"]["download"])
        rendered = None
        while not read.done():
            job = http.get(job["links"]["self"]).json()
            if rendered is None and job["images_done"] == job["images_total"]:
                rendered = time.perf_counter()
            time.sleep(_POLL_SECONDS)
        ended, size = read.result()
        peaks = [processes.peak_mb([pid]) for pid in (api, worker)]
    return Cost(ended - began, max(0.0, ended - (rendered or ended)), size, peaks[0], peaks[1] - at_rest)


def _read(http: httpx.Client, path: str) -> tuple[float, int]:
    """Read and drop an archive. Returns the time of the last byte, and the number of bytes."""
    with http.stream("GET", path) as response:
        response.raise_for_status()
        size = sum(len(chunk) for chunk in response.iter_raw())
    return time.perf_counter(), size


if __name__ == "__main__":
    run(main)
