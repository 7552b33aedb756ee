"""How many images/s workers commit to the store together, from the request for one large job until its last commit."""

import time
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from app.client import Client
from benchmarks.assembly import Assembly, AssemblyError
from benchmarks.command import console
from benchmarks.scaling import house
from benchmarks.scaling.simulated import MODEL
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


def measure(assembly: Assembly, count: int, images_per_s: float | None, n: int, most_seconds: float) -> Commits:
    """Render a job of n images, or as much of it as is committed in time."""
    with house.workers(assembly, count, images_per_s), Client(assembly.url, notify=console.print) as client:
        before, began = assembly.cpu_seconds(), time.perf_counter()
        spec = house.spec_of(assembly, client.generate(n=n, model=MODEL).id)
        shards, seconds = _watched(assembly, spec, began, most_seconds)
        cpu_s = {part: after - before[part] for part, after in assembly.cpu_seconds().items()}
        found = [index for shard in shards if (index := assembly.store.shards.index(spec.id, shard))]
        _end(assembly, spec)
        settled_seconds = time.perf_counter() - began
    images, size = sum(len(index.images.sizes) for index in found), sum(index.size for index in found)
    assembly.discard(spec.id)
    return Commits(count, images_per_s, images, seconds, settled_seconds, size, cpu_s)


def _end(assembly: Assembly, spec: JobSpec) -> None:
    """Cut a job off that was not done in time; wait until it is settled."""
    if len(assembly.store.shards.committed(spec.id)) < spec.shard_count:
        url = f"{assembly.url}/jobs/{spec.id}/cancel"
        answer = httpx.post(url, timeout=_SETTLING_SECONDS, trust_env=False)
        if answer.status_code != HTTPStatus.CONFLICT:  # it has just ended
            answer.raise_for_status()
    deadline = time.monotonic() + _SETTLING_SECONDS
    while any(assembly.store.jobs.open_jobs()):
        if time.monotonic() > deadline:
            raise AssemblyError(f"job {spec.id} was not on the disk after {_SETTLING_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _watched(assembly: Assembly, spec: JobSpec, began: float, most_seconds: float) -> tuple[set[int], float]:
    """Tell which shards were committed, and after how many seconds the last of them was."""
    committed, seconds = set[int](), 0.0
    while len(committed) < spec.shard_count and time.perf_counter() - began < most_seconds:
        time.sleep(_POLL_SECONDS)
        found = assembly.store.shards.committed(spec.id)
        if found != committed:
            committed, seconds = found, time.perf_counter() - began
    return committed, seconds
