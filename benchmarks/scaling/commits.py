"""How many images/s workers commit to the store together, from the request for one large job until its last commit."""

import time
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from app.client.client import Client
from benchmarks.command import console
from benchmarks.scaling import simulated_service
from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses, StartError
from worker.contracts.jobs import JobSpec

_POLL_SECONDS = 0.02
_SETTLING_SECONDS = 120


@dataclass(frozen=True)
class Commits:
    """What some workers have committed; CPU seconds by part."""

    workers: int
    gpu_images_per_s: float | None
    """Of one simulated GPU; None is no time at all."""
    images: int
    seconds: float
    settled_seconds: float
    """Until all of the job was forced to the disk."""
    size: int
    """In bytes."""
    cpu_s: dict[str, float]

    @property
    def images_per_s(self) -> float:
        """Speed of all workers together."""
        return self.images / self.seconds

    @property
    def settled_per_s(self) -> float:
        """Images that were forced to the disk."""
        return self.images / self.settled_seconds


def measure(service: ServiceProcesses, count: int, images_per_s: float | None, n: int, most_seconds: float) -> Commits:
    """Render a job of n images, or as much of it as is committed in time."""
    with simulated_service.run_workers(service, count, images_per_s), Client(service.url, console.print) as client:
        before, began = service.cpu_seconds(), time.perf_counter()
        spec = simulated_service.read_spec(service, client.generate({"n": n, "model": MODEL}).id)
        shards, seconds = _watched(service, spec, began, most_seconds)
        cpu_s = {part: after - before[part] for part, after in service.cpu_seconds().items()}
        found = [index for shard in shards if (index := service.store.shards.index(spec.id, shard))]
        _end(service, spec)
        settled_seconds = time.perf_counter() - began
    images, size = sum(len(index.images.sizes) for index in found), sum(index.size for index in found)
    service.discard(spec.id)
    return Commits(count, images_per_s, images, seconds, settled_seconds, size, cpu_s)


def _end(service: ServiceProcesses, spec: JobSpec) -> None:
    """Cut a job off that was not done in time; wait until it is settled."""
    if len(service.store.shards.committed(spec.id)) < spec.shard_count:
        url = f"{service.url}/jobs/{spec.id}/cancel"
        answer = httpx.post(url, timeout=_SETTLING_SECONDS, trust_env=False)
        if answer.status_code != HTTPStatus.CONFLICT:  # it has just ended
            answer.raise_for_status()
    deadline = time.monotonic() + _SETTLING_SECONDS
    while any(service.store.jobs.open_jobs()):
        if time.monotonic() > deadline:
            raise StartError(f"job {spec.id} was not on the disk after {_SETTLING_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _watched(service: ServiceProcesses, spec: JobSpec, began: float, most_seconds: float) -> tuple[set[int], float]:
    """Tell which shards were committed, and after how many seconds the last of them was."""
    committed, seconds = set[int](), 0.0
    while len(committed) < spec.shard_count and time.perf_counter() - began < most_seconds:
        time.sleep(_POLL_SECONDS)
        found = service.store.shards.committed(spec.id)
        if found != committed:
            committed, seconds = found, time.perf_counter() - began
    return committed, seconds
