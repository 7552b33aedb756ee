"""`python -m benchmarks.job_list`: the time of the first page of the list of jobs.

The jobs are written straight to a store, like jobs that have ended. One API process answers `GET /jobs`. Without --url,
the store is a folder.
"""

import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses
from models import registry
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store

_MODEL = "faces-64"
_INTERVAL = timedelta(seconds=30)
"""Time between two jobs."""
_QUERIES = {"first page": {}, "name": {"name": "every-100th"}, "state": {"state": "failed"}}


def main(
    jobs: Annotated[list[int] | None, typer.Option(min=100, help="Numbers of jobs; default: 10000.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Requests of each kind.")] = 50,
) -> None:
    """Print the median and the slowest response of each request, in milliseconds."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="job-list-") as folder:
        models = Path(folder) / "models"
        models.mkdir()
        shutil.copy(registry.find(_MODEL), models)
        settings = {"IMAGEMILL_MODELS": str(models), "IMAGEMILL_DEVICE": "cpu"}
        with ServiceProcesses(Path(folder), settings) as service, httpx.Client(base_url=service.url) as client:
            service.start_workers(1, WORKER, {})
            store, written = Store(str(Path(folder) / "store")), 0
            example = _example(client, store)
            for total in sorted(jobs or [10_000]):
                for number in range(written, total):
                    _write(store, example, number)
                written = total
                for name, query in _QUERIES.items():
                    seconds = [_time(client, query) for _ in range(rounds)]
                    rows.append((f"{total}", name, f"{1e3 * median(seconds):.1f}", f"{1e3 * max(seconds):.1f}"))
    console.print(table.markdown(("jobs", "request", "median ms", "slowest ms"), rows))


def _example(client: httpx.Client, store: Store) -> JobSpec:
    job = client.post("/generate", params={"n": 500, "model": _MODEL}).raise_for_status().json()
    spec = store.jobs.spec(job["id"])
    if spec is None:
        raise RuntimeError(f"the store does not hold job {job['id']}")
    return spec


def _write(store: Store, example: JobSpec, number: int) -> None:
    created = datetime(2026, 1, 1, tzinfo=UTC) + number * _INTERVAL
    name = "every-100th" if number % 100 == 0 else ""
    spec = example.model_copy(update={"id": f"{number:022}", "created": created, "name": name})
    outcome = "failed" if number % 50 == 0 else "succeeded"
    state = {"outcome": outcome, "started": created, "finished": created + timedelta(seconds=1)}
    store.jobs.create(spec)
    store.jobs.list.add(spec)
    store.jobs.finish(spec.id, JobState.model_validate(state))
    store.jobs.close(spec.id)


def _time(client: httpx.Client, query: dict[str, str]) -> float:
    began = time.perf_counter()
    client.get("/jobs", params=query).raise_for_status()
    return time.perf_counter() - began


if __name__ == "__main__":
    run(main)
