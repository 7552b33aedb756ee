"""`python -m benchmarks.load`: many clients at once, each posting small jobs and downloading them.

Queue server, API and two workers are real processes with a tiny model, on the same machine as the clients. A client
posts a job, downloads its growing archive, and posts the next one. The table has the seconds until a job was accepted,
and until its last byte arrived.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.reliability.inspection import image_hashes
from benchmarks.reliability.service_under_test import SHORT, ServiceUnderTest
from tests.tiny import PLAIN, save_checkpoint

_PERCENTILES = (50, 95, 99)
_PATIENCE_SECONDS = 120
_HEAD = ("seconds until", *(f"p{p}" for p in _PERCENTILES), "longest")
_SEED = 3


@dataclass(frozen=True)
class Served:
    """One job of one client."""

    accept_seconds: float
    completion_seconds: float
    archive: bytes
    error: str | None = None


def main(
    clients: Annotated[int, typer.Option(min=1, help="At once.")] = 200,
    jobs: Annotated[int, typer.Option(min=1, help="Of each client, one after the other.")] = 5,
    workers: Annotated[int, typer.Option(min=1, max=2, help="Worker processes.")] = 2,
) -> None:
    """Run the load, and print the durations of the jobs."""
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        models = Path(folder) / "models"
        models.mkdir()
        save_checkpoint(models, PLAIN)
        with ServiceUnderTest(Path(folder), models, PLAIN) as service:
            if workers > 1:
                service.replace_worker()
            began = time.perf_counter()
            served = asyncio.run(_serve(service.url, clients, jobs))
            seconds = time.perf_counter() - began
            errors = [one.error or _mistake(one, service.expected) for one in served]
    found = [error for error in errors if error]
    good = [one for one, error in zip(served, errors, strict=True) if not error]
    rows = [
        ("accepted", [one.accept_seconds for one in good]),
        ("downloaded", [one.completion_seconds for one in good]),
    ]
    console.print(table.markdown(_HEAD, [_row(name, values) for name, values in rows]))
    console.print(f"\n{len(served)} jobs of {SHORT} images in {seconds:.1f} s, {len(found)} errors {found[:3] or ''}")
    raise typer.Exit(1 if found else 0)


async def _serve(url: str, clients: int, jobs: int) -> list[Served]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE_SECONDS, trust_env=False, limits=limits) as api:
        each = await asyncio.gather(*(_client(api, jobs) for _ in range(clients)))
    return [one for served in each for one in served]


async def _client(api: httpx.AsyncClient, jobs: int) -> list[Served]:
    return [await _one(api) for _ in range(jobs)]


async def _one(api: httpx.AsyncClient) -> Served:
    began = time.perf_counter()
    try:
        answer = await api.post("/generate", params={"n": SHORT, "seed": _SEED})
        accepted = time.perf_counter() - began
        if answer.status_code != HTTPStatus.ACCEPTED:
            return Served(accepted, accepted, b"", f"{answer.status_code} {answer.text}")
        archive = (await api.get(answer.json()["links"]["download"])).raise_for_status().content
    except httpx.HTTPError as error:
        return Served(0, 0, b"", repr(error))
    return Served(accepted, time.perf_counter() - began, archive)


def _mistake(one: Served, expected: list[str]) -> str | None:
    return None if image_hashes(one.archive) == expected[:SHORT] else "other images than undisturbed"


def _row(name: str, values: list[float]) -> tuple[str, ...]:
    return (name, *(f"{np.percentile(values or [0.0], percent):.3f}" for percent in (*_PERCENTILES, 100)))


if __name__ == "__main__":
    run(main)
