"""Measures the images/s that all workers commit to the store, from the request for a large job to its last commit."""

import time
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from app.client import Client
from benchmarks.command import console
from benchmarks.scaling import simulated_service
from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses, StartError
from worker.contracts.jobs import JobSpec

_POLL_SECONDS = 0.02
_SETTLING_SECONDS = 120


@dataclass(frozen=True)
class Commits:
    """The commits of some workers, with CPU seconds by part."""

    workers: int
    gpu_images_per_s: float | None
    """Speed of one simulated GPU. None means that rendering takes no time."""
    images: int
    seconds: float
    settled_seconds: float
    """Time until the whole job was forced to the disk."""
    size: int
    """Size of the committed data, in bytes."""
    cpu_s: dict[str, float]

    @property
    def images_per_s(self) -> float:
        """Return the speed of all workers together."""
        return self.images / self.seconds

    @property
    def settled_per_s(self) -> float:
        """Return the images/s that were forced to the disk."""
        return self.images / self.settled_seconds


def measure(service: ServiceProcesses, count: int, images_per_s: float | None, n: int, most_seconds: float) -> Commits:
    """Render a job of n images, and stop it after `most_seconds`."""
    with (
        simulated_service.run_workers(service, count, images_per_s),
        Client(service.url, notify=console.print) as client,
    ):
        before, began = service.cpu_seconds(), time.perf_counter()
        spec = simulated_service.read_spec(service, client.generate(n=n, model=MODEL).id)
        shards, seconds = _watched(service, spec, began, most_seconds)
        cpu_s = {part: after - before[part] for part, after in service.cpu_seconds().items()}
        found = [index for shard in shards if (index := service.store.shards.index(spec.id, shard))]
        _end(service, spec)
        settled_seconds = time.perf_counter() - began
    images, size = sum(len(index.images.sizes) for index in found), sum(index.size for index in found)
    service.discard(spec.id)
    return Commits(count, images_per_s, images, seconds, settled_seconds, size, cpu_s)


def _end(service: ServiceProcesses, spec: JobSpec) -> None:
    """Cancel a job that is not done in time, and wait until it is settled."""
    if len(service.store.shards.committed(spec.id)) < spec.shard_count:
        url = f"{service.url}/jobs/{spec.id}/cancel"
        answer = httpx.post(url, timeout=_SETTLING_SECONDS, trust_env=False)
        if answer.status_code != HTTPStatus.CONFLICT:  # the job has just ended
            answer.raise_for_status()
    deadline = time.monotonic() + _SETTLING_SECONDS
    while any(service.store.jobs.open_jobs()):
        if time.monotonic() > deadline:
            raise StartError(f"job {spec.id} was not on the disk after {_SETTLING_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _watched(service: ServiceProcesses, spec: JobSpec, began: float, most_seconds: float) -> tuple[set[int], float]:
    """Return the committed shards, and the seconds until the last commit."""
    committed, seconds = set[int](), 0.0
    while len(committed) < spec.shard_count and time.perf_counter() - began < most_seconds:
        time.sleep(_POLL_SECONDS)
        found = service.store.shards.committed(spec.id)
        if found != committed:
            committed, seconds = found, time.perf_counter() - began
    return committed, seconds
