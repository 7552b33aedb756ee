"""`python -m benchmarks.scaling.fleet`: the load of many workers on Redis, the bucket and the API.

API, queue server, S3 server and the code of the workers are real; the model and the encoder of a worker are simulated
at a low speed. It prints the requests and the CPU time for each second of rest, each job, each shard and each image.
In the end, copies of a worker's announcement stand for a large fleet, and more keys for many waiting tasks, because the
API reads the announcements of all workers, and searches them among all keys.
docs/scaling.md computes with the table. The speeds say nothing, because all processes share a few cores.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rq.job import Job

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.scaling.counting_proxy import CountingProxy
from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses, StartError
from tests.s3 import BUCKET, S3Server
from worker.contracts.queue.redis_keys import worker_key
from worker.contracts.store.store import Store

_START_SECONDS, _POLL_SECONDS = 300, 0.2
_LOOK_SECONDS = 2.0
"""Pause between two looks at the open jobs."""
_SETTLING_SECONDS = 5.0
"""Time after a load in which workers settle its jobs. The requests of this time belong to the load."""
_SAMPLING_SECONDS = 20.0
"""Time after their start in which workers measure the costs of an image, test the bucket and publish their models."""
_KINDS = ("WRITE", "READ", "LIST", "DELETE")


@dataclass(frozen=True)
class Totals:
    """The requests to each layer, and its CPU time, since its start."""

    seconds: float
    commands: int
    """Commands of Redis."""
    redis_cpu_s: float
    api_cpu_s: float
    requests: dict[str, int]
    """Requests to the bucket, by kind, by API and workers together."""

    def less(self, other: "Totals") -> "Totals":
        """Return the difference to earlier totals."""
        return Totals(
            self.seconds - other.seconds,
            self.commands - other.commands,
            self.redis_cpu_s - other.redis_cpu_s,
            self.api_cpu_s - other.api_cpu_s,
            {kind: count - other.requests[kind] for kind, count in self.requests.items()},
        )


@dataclass(frozen=True)
class Load:
    """The cost of one kind of work, of `units` units."""

    name: str
    units: float
    totals: Totals

    def row(self) -> list[str]:
        """Return one row of the table: everything for one unit."""
        spent, n = self.totals, self.units
        requests = [f"{spent.requests[kind] / n:.4g}" for kind in _KINDS]
        cpu = [f"{spent.redis_cpu_s / n * 1e3:.3g}", f"{spent.api_cpu_s / n * 1e3:.3g}"]
        return [self.name, f"{n:.0f}", f"{spent.commands / n:.4g}", cpu[0], *requests, cpu[1]]


class Fleet:
    """The service on a bucket, with proxies that count."""

    def __init__(self, service: ServiceProcesses, proxy: CountingProxy, store: Store) -> None:
        self.service, self._proxy = service, proxy
        self.store = store
        """The bucket, read without a proxy, so that the benchmark's own requests are not counted."""

    def totals(self) -> Totals:
        """Read all counters."""
        info = self.service.redis.info()
        redis_cpu_s = info["used_cpu_user"] + info["used_cpu_sys"]
        api_cpu_s = self.service.cpu_seconds()["api"]
        requests = {kind: self._proxy.requests[kind] for kind in _KINDS}
        return Totals(time.monotonic(), info["total_commands_processed"], redis_cpu_s, api_cpu_s, requests)

    def measure(self, name: str, work: Callable[[], float]) -> Load:
        """Do some work, which returns its number of units, and return its cost."""
        before = self.totals()
        units = work()
        load = Load(name, units, self.totals().less(before))
        console.print(f"{name}: {units:.0f} in {load.totals.seconds:.1f} s")
        return load


def main(
    workers: Annotated[int, typer.Option(min=1, help="Simulated workers; each takes 0.5 GB.")] = 10,
    images_per_s: Annotated[float, typer.Option(min=1, help="Speed of each of them.")] = 200,
    n: Annotated[int, typer.Option(min=1, help="Images of the long job.")] = 20_000,
    posts: Annotated[int, typer.Option(min=1, help="Jobs of one image.")] = 200,
    announced: Annotated[int, typer.Option(min=1, help="Workers that are announced in the end.")] = 100,
    keys: Annotated[int, typer.Option(min=1, help="Keys that are added to Redis then, as of waiting tasks.")] = 20_000,
    rest_seconds: Annotated[float, typer.Option(min=1, help="Seconds of each rest.")] = 20,
) -> None:
    """Print the cost of rest, of a long job, of jobs of one image and of a download."""

    def rest() -> float:
        time.sleep(rest_seconds)
        return rest_seconds

    with _fleet() as fleet:
        loads = [fleet.measure("a second without workers", rest)]
        _start_workers(fleet.service, workers, images_per_s)
        time.sleep(_SAMPLING_SECONDS)
        loads.append(fleet.measure(f"a second of rest of {workers} workers", rest))
        job_id = _post(fleet.service, n)
        loads.append(fleet.measure("a shard of a long job", lambda: _shards(fleet, job_id)))
        loads.append(fleet.measure("an image of a download", lambda: _download(fleet.service, job_id, n)))
        loads.append(fleet.measure("a job of one image", lambda: _small_jobs(fleet, posts)))
        _announce_copies(fleet.service, announced - workers)
        loads.append(fleet.measure(f"the same, {announced} announced", lambda: _small_jobs(fleet, posts)))
        _add_keys(fleet.service, keys)
        loads.append(fleet.measure(f"the same, {keys} keys more", lambda: _small_jobs(fleet, posts)))
    head = ("one unit", "units", "Redis commands", "Redis CPU ms", *(f"S3 {kind.lower()}" for kind in _KINDS))
    console.print(table.markdown((*head, "API CPU ms"), [load.row() for load in loads]))


@contextmanager
def _fleet() -> Iterator[Fleet]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        s3 = stack.enter_context(S3Server(folder / "s3"))
        proxy = stack.enter_context(CountingProxy(s3.port))
        bucket = {"IMAGEMILL_STORE": f"s3://{BUCKET}/store", "IMAGEMILL_MAX_IMAGES": "10000000"}
        service = ServiceProcesses(folder, bucket | s3.environment(proxy.port))
        os.environ.update(s3.environment())
        yield Fleet(stack.enter_context(service), proxy, Store(bucket["IMAGEMILL_STORE"]))


def _start_workers(service: ServiceProcesses, count: int, images_per_s: float) -> None:
    command = ["-m", "benchmarks.scaling.fleet_worker", str(count), str(images_per_s)]
    service.start_workers(1, command, {})
    deadline = time.monotonic() + _START_SECONDS
    while len(service.live.workers()) < count:
        if time.monotonic() > deadline:
            raise StartError(f"{len(service.live.workers())} of {count} workers were ready after {_START_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _announce_copies(service: ServiceProcesses, count: int) -> None:
    entry = service.live.workers()[0]
    for number in range(count):
        name = f"copy-{number}"
        announcement = entry.model_copy(update={"name": name}).model_dump_json()
        service.redis.set(worker_key(name), announcement, ex=_START_SECONDS)


def _add_keys(service: ServiceProcesses, count: int) -> None:
    service.redis.mset({f"{Job.redis_job_namespace_prefix}filler-{number}": "" for number in range(count)})


def _post(service: ServiceProcesses, n: int) -> str:
    answer = httpx.post(f"{service.url}/generate", params={"n": n, "model": MODEL}, trust_env=False, timeout=60)
    if answer.status_code != HTTPStatus.ACCEPTED:
        raise StartError(f"a job was answered with {answer.status_code}: {answer.text}")
    return str(answer.json()["id"])


def _wait_until_settled(fleet: Fleet) -> None:
    while any(fleet.store.jobs.open_jobs()):
        time.sleep(_LOOK_SECONDS)
    time.sleep(_SETTLING_SECONDS)


def _shards(fleet: Fleet, job_id: str) -> float:
    _wait_until_settled(fleet)
    return len(fleet.store.shards.committed(job_id))


def _small_jobs(fleet: Fleet, count: int) -> float:
    for _ in range(count):
        _post(fleet.service, 1)
    _wait_until_settled(fleet)
    return count


def _download(service: ServiceProcesses, job_id: str, n: int) -> float:
    with httpx.stream("GET", f"{service.url}/jobs/{job_id}/download", trust_env=False, timeout=60) as answer:
        answer.raise_for_status()
        for _ in answer.iter_raw():
            pass
    return n


if __name__ == "__main__":
    run(main)
