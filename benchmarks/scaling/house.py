"""The service with simulated workers, as all measurements here start it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.client import Client
from benchmarks.assembly import Assembly, AssemblyError
from benchmarks.command import console
from benchmarks.scaling.simulated import MODEL
from worker.contracts.jobs import JobSpec

_MOST_IMAGES = 10_000_000
_WARM_UP_IMAGES = 4096


@contextmanager
def opened(folder: Path | None) -> Iterator[Assembly]:
    """Start the queue server and the API on an empty store below a folder, by default that of temporary files."""
    environment = {"IMAGEMILL_MAX_IMAGES": str(_MOST_IMAGES)}
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-", dir=folder) as data,
        Assembly(Path(data), environment) as made,
    ):
        yield made


@contextmanager
def workers(assembly: Assembly, count: int, images_per_s: float | None) -> Iterator[None]:
    """Have so many simulated workers, which know their speed."""
    speed = [] if images_per_s is None else [str(images_per_s)]
    assembly.start_workers(count, ["-m", "benchmarks.scaling.worker", *speed], {})
    try:
        for _ in range(2):  # the second in shards that are as large as the first one allows
            job(assembly, _WARM_UP_IMAGES * count)
        yield
    finally:
        assembly.stop_workers()


def job(assembly: Assembly, n: int) -> JobSpec:
    """Have a job of n images done."""
    with Client(assembly.url, notify=console.print) as client:
        asked = client.generate(n=n, model=MODEL)
        for _ in client.follow(asked):
            pass
    return spec_of(assembly, asked.id)


def spec_of(assembly: Assembly, job_id: str) -> JobSpec:
    """Read an accepted job."""
    spec = assembly.store.jobs.spec(job_id)
    if spec is None:
        raise AssemblyError(f"the accepted job {job_id} is not in the store")
    return spec
