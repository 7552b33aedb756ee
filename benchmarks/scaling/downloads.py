"""Measures the MB/s and images/s that one API process sends to several clients at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection

from benchmarks.service_processes import ServiceProcesses
from worker.contracts.jobs import JobSpec

_PIECE_BYTES = 1 << 20


class DownloadError(Exception):
    """An archive was not sent."""


@dataclass(frozen=True)
class Downloads:
    """The downloads of some clients, each of the whole archive."""

    clients: int
    images: int
    size: int
    """Bytes of all clients together."""
    seconds: float
    api_cpu_s: float

    @property
    def images_per_s(self) -> float:
        """Return the images/s sent to all clients together."""
        return self.images / self.seconds


def measure(service: ServiceProcesses, spec: JobSpec, clients: int) -> Downloads:
    """Read and drop a job's archive with several clients at once."""
    before, began = service.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        reading = [threads.submit(_read, service.port, f"/jobs/{spec.id}/download") for _ in range(clients)]
        size = sum(read.result() for read in reading)
    seconds = time.perf_counter() - began
    api_cpu_s = service.cpu_seconds()["api"] - before["api"]
    return Downloads(clients, clients * spec.n, size, seconds, api_cpu_s)


def _read(port: int, path: str) -> int:
    connection, size, piece = HTTPConnection("127.0.0.1", port), 0, bytearray(_PIECE_BYTES)
    connection.request("GET", path)
    response = connection.getresponse()
    if response.status != HTTPStatus.OK:
        raise DownloadError(f"an archive was answered with {response.status}")
    while read := response.readinto(piece):
        size += read
    connection.close()
    return size
