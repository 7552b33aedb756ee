"""Measures the jobs/s of one image that the API accepts from several posters, and that the workers end."""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection

from pydantic import BaseModel, ConfigDict

from benchmarks.scaling.simulated import MODEL
from benchmarks.service_processes import ServiceProcesses

_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 60
_PATH = f"/generate?n=1&model={MODEL}"


class PostError(Exception):
    """A job was not accepted, or did not end."""


@dataclass(frozen=True)
class Posts:
    """The jobs of some seconds of posting, with CPU seconds by part until the last job had ended."""

    posters: int
    jobs: int
    posted_seconds: float
    ended_seconds: float
    """Time from the first post until the last job had ended."""
    settled_seconds: float
    """Time from the first post until all jobs were forced to the disk."""
    cpu_s: dict[str, float]

    @property
    def accepted_per_s(self) -> float:
        """Return the jobs/s that were answered with a 202."""
        return self.jobs / self.posted_seconds

    @property
    def ended_per_s(self) -> float:
        """Return the jobs/s that ended."""
        return self.jobs / self.ended_seconds

    @property
    def settled_per_s(self) -> float:
        """Return the jobs/s whose files were forced to the disk."""
        return self.jobs / self.settled_seconds


class _Accepted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str


def measure(service: ServiceProcesses, posters: int, seconds: float) -> Posts:
    """Post jobs for some seconds, and wait for their end. A poster waits for each answer before its next request."""
    before, began = service.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(posters) as threads:
        posting = [threads.submit(_post, service.port, began + seconds) for _ in range(posters)]
        ids = [job_id for posted in posting for job_id in posted.result()]
    posted_seconds = time.perf_counter() - began
    _wait_for_ends(service, ids)
    ended_seconds = time.perf_counter() - began
    cpu_s = {part: after - before[part] for part, after in service.cpu_seconds().items()}
    _wait_until_settled(service)
    settled_seconds = time.perf_counter() - began
    for job_id in ids:
        service.discard(job_id)
    return Posts(posters, len(ids), posted_seconds, ended_seconds, settled_seconds, cpu_s)


def _post(port: int, deadline: float) -> list[str]:
    connection, ids = HTTPConnection("127.0.0.1", port), list[str]()
    while time.perf_counter() < deadline:
        connection.request("POST", _PATH)
        response = connection.getresponse()
        body = response.read()
        if response.status != HTTPStatus.ACCEPTED:
            raise PostError(f"a job was answered with {response.status}: {body.decode(errors='replace')}")
        ids.append(_Accepted.model_validate_json(body).id)
    connection.close()
    return ids


def _wait_for_ends(service: ServiceProcesses, ids: list[str]) -> None:
    running, deadline = deque(ids), time.monotonic() + _PATIENCE_SECONDS
    while running:
        if service.store.jobs.state(running[-1]) is not None:
            running.pop()
        elif time.monotonic() > deadline:
            raise PostError(f"{len(running)} jobs did not end in {_PATIENCE_SECONDS} s")
        else:
            time.sleep(_POLL_SECONDS)


def _wait_until_settled(service: ServiceProcesses) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(service.store.jobs.open_jobs()):
        if time.monotonic() > deadline:
            raise PostError(f"not all jobs were forced to the disk in {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)
