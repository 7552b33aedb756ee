"""`python -m benchmarks.one_image`: seconds until the image of one address has arrived, idle and beside a long job.

`imagemill up --workers 1` serves the model faces-64. One client with a persistent connection asks for addresses that
are new, one after the other: first from an idle service, then beside a job of 100 000 images. The
store is listed before and after: single images must not change it.
"""

import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated

import httpx
import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service import engines
from benchmarks.service.client import connect
from benchmarks.service.server import Server

_MODEL = "faces-64"
_SEED = 1
_WARM_UP = 20
_GOALS_MS = {"idle": 5.0, "beside a job": 60.0}
"""Goals of the median."""


def main(
    requests: Annotated[int, typer.Option(min=2, help="Timed requests in each situation.")] = 300,
    n: Annotated[int, typer.Option(min=1, help="Images in the long job.")] = 100_000,
) -> None:
    """Measure both situations, and print a table."""
    engine = next(engine for engine in engines.own() if engine.name == "imagemill")
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Server(engine, Path(folder)) as server,
        connect(server.url) as client,
    ):
        addresses = (f"/images/{_MODEL}/{_SEED}/{index}.png" for index in count())
        _ask(client, addresses, _WARM_UP)
        before = _files(Path(folder))
        idle = _ask(client, addresses, requests)
        has_stored = _files(Path(folder)) != before
        job = client.post("/generate", params={"n": n, "model": _MODEL}).raise_for_status().json()
        _wait_until_running(client, job["id"])
        beside = _ask(client, addresses, requests)
        state = client.get(f"/jobs/{job['id']}").json()
        client.post(f"/jobs/{job['id']}/cancel")
    if state["done"]:
        console.print(f"the job of {n} images ended before the last request; increase --n or decrease --requests")
    console.print(table.markdown(_HEAD, [_row("idle", idle), _row("beside a job", beside)]))
    console.print(f"\nThe store has {'CHANGED' if has_stored else 'not changed'} by {requests} requests.")


_HEAD = ("service", "requests", "median, ms", "p95, ms", "longest, ms", "goal")


def _ask(client: httpx.Client, addresses: Iterator[str], requests: int) -> list[float]:
    """Ask for the next addresses, one after the other. Returns the seconds of each."""
    seconds = []
    for _, address in zip(range(requests), addresses, strict=False):
        began = time.perf_counter()
        client.get(address).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return seconds


def _wait_until_running(client: httpx.Client, job_id: str) -> None:
    """Wait until the job has reached its full-sized shards."""
    while client.get(f"/jobs/{job_id}").json()["images_done"] < 1000:
        time.sleep(0.1)


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "store" in path.parts}


def _row(situation: str, seconds: list[float]) -> list[str]:
    ms = [1000 * each for each in seconds]
    middle, goal = median(ms), _GOALS_MS[situation]
    is_met = "yes" if middle <= goal else "no"
    figures = [f"{middle:.1f}", f"{quantiles(ms, n=20)[-1]:.1f}", f"{max(ms):.1f}"]
    return [situation, str(len(ms)), *figures, f"{goal:g}: {is_met}"]


if __name__ == "__main__":
    run(main)
