"""Starts the service with simulated workers for all measurements of this package."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.client.client import Client
from benchmarks.command import console
from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses, StartError
from worker.contracts.jobs import JobSpec

_MOST_IMAGES = 10_000_000
_WARM_UP_IMAGES = 4096


@contextmanager
def run_service(folder: Path | None) -> Iterator[ServiceProcesses]:
    """Start queue server and API on an empty store below a folder. The default is the folder of temporary files."""
    environment = {"IMAGEMILL_MAX_IMAGES": str(_MOST_IMAGES)}
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-", dir=folder) as data,
        ServiceProcesses(Path(data), environment) as made,
    ):
        yield made


@contextmanager
def run_workers(service: ServiceProcesses, count: int, images_per_s: float | None) -> Iterator[None]:
    """Run simulated workers that have reported their speed to the API."""
    speed = [] if images_per_s is None else [str(images_per_s)]
    service.start_workers(count, ["-m", "benchmarks.scaling.worker", *speed], {})
    try:
        for _ in range(2):  # the second job has larger shards, because the API knows the workers' speed
            run_job(service, _WARM_UP_IMAGES * count)
        yield
    finally:
        service.stop_workers()


def run_job(service: ServiceProcesses, n: int) -> JobSpec:
    """Run a job of n images to its end."""
    with Client(service.url, notify=console.print) as client:
        asked = client.generate(n=n, model=MODEL)
        for _ in client.follow(asked):
            pass
    return read_spec(service, asked.id)


def read_spec(service: ServiceProcesses, job_id: str) -> JobSpec:
    """Return the spec of an accepted job."""
    spec = service.store.jobs.spec(job_id)
    if spec is None:
        raise StartError(f"the accepted job {job_id} is not in the store")
    return spec
