"""Starts the service with workers on the device of the benchmark, and requests images from it."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Options
from benchmarks.reliability.inspection import image_hashes
from benchmarks.service.answer import Answer
from benchmarks.service.client import connect, fetch
from benchmarks.service_processes import WORKER, ServiceProcesses

MODEL = "faces-64"
_LOG_LETTERS = 1500


@dataclass(frozen=True)
class StartedService:
    """The service, and a client with a persistent connection."""

    processes: ServiceProcesses
    client: httpx.Client

    def archive(self, **parameters: str | int | float) -> Answer:
        """Request a job, and download its archive while it runs."""
        query = {"model": MODEL, **parameters}
        request = self.client.build_request("POST", "/generate", params=query, headers={"Accept": "application/zip"})
        return fetch(self.client, request)


@contextmanager
def start_service(options: Options, results: Results, workers: int) -> Iterator[StartedService]:
    """Start the service with some workers, which share the cores."""
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    environment = {"IMAGEMILL_THREADS": str(threads), "IMAGEMILL_DEVICE": options.device.type}
    if options.vgg19:
        environment["IMAGEMILL_VGG19"] = options.vgg19
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        try:
            with ServiceProcesses(Path(folder)) as processes, connect(processes.url) as client:
                processes.start_workers(workers, WORKER, environment)
                ready = {name: round(seconds, 2) for name, seconds in processes.ready_seconds.items()}
                results.add("seconds until ready", ready, workers=workers, threads=threads)
                yield StartedService(processes, client)
        finally:
            for log in sorted(Path(folder).glob("worker*.log")):
                if text := log.read_text(errors="replace")[-_LOG_LETTERS:].strip():
                    results.add("messages of a worker", text, workers=workers)


def digest(archive: bytes) -> str:
    """Return one hash of all images of an archive."""
    return hashlib.sha256("".join(image_hashes(archive)).encode()).hexdigest()[:16]
