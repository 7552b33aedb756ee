"""The service with simulated workers, as all measurements here start it."""

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
    """Start the queue server and the API on an empty store below a folder, by default that of temporary files."""
    environment = {"IMAGEMILL_MAX_IMAGES": str(_MOST_IMAGES)}
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-", dir=folder) as data,
        ServiceProcesses(Path(data), environment) as made,
    ):
        yield made


@contextmanager
def run_workers(service: ServiceProcesses, count: int, images_per_s: float | None) -> Iterator[None]:
    """Have so many simulated workers, which know their speed."""
    speed = [] if images_per_s is None else [str(images_per_s)]
    service.start_workers(count, ["-m", "benchmarks.scaling.worker", *speed], {})
    try:
        for _ in range(2):  # the second in shards that are as large as the first one allows
            run_job(service, _WARM_UP_IMAGES * count)
        yield
    finally:
        service.stop_workers()


def run_job(service: ServiceProcesses, n: int) -> JobSpec:
    """Have a job of n images done."""
    with Client(service.url, console.print) as client:
        asked = client.generate({"n": n, "model": MODEL})
        for _ in client.follow(asked):
            pass
    return read_spec(service, asked.id)


def read_spec(service: ServiceProcesses, job_id: str) -> JobSpec:
    """Read an accepted job."""
    spec = service.store.jobs.spec(job_id)
    if spec is None:
        raise StartError(f"the accepted job {job_id} is not in the store")
    return spec
