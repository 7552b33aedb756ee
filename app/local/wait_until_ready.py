"""Waits until the local service is ready, and prints problems that do not prevent its start."""

import time
from contextlib import suppress

import httpx
from redis.exceptions import RedisError
from rich.console import Console

from app.cluster.cluster_state import ClusterState
from app.local.supervisor import LocalService, LocalServiceError
from worker.contracts.queue.connection import connect

_READY_SECONDS = 60
_POLL_SECONDS = 0.1
_QUEUE_SECONDS = 5.0
"""Longest wait for one response of the queue server."""


def wait_until_ready(service: LocalService, console: Console) -> None:
    """Wait until the service can render jobs. Raises LocalServiceError after 60 s, or if a process keeps crashing."""
    deadline = time.monotonic() + _READY_SECONDS
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    status = console.status("Starting the queue, the API and a worker", spinner=spinner)
    with status, httpx.Client(base_url=service.url, timeout=5) as api:
        while (fault := _fault(api, console)) is not None:
            if time.monotonic() > deadline:
                raise LocalServiceError(
                    f"the service was not ready after {_READY_SECONDS} s: {fault}; see the output above"
                )
            service.restart_dead_processes()
            service.check_crashes()
            time.sleep(_POLL_SECONDS)


def print_set_aside(service: LocalService, console: Console) -> None:
    """Print the checkpoints and weights that the workers have set aside, with reasons."""
    with suppress(RedisError), connect(service.queue_url, _QUEUE_SECONDS) as redis:
        for file in ClusterState(redis).set_aside():
            console.print(f"Set aside: {file.file}: {file.reason}", markup=False, highlight=False)


def _fault(api: httpx.Client, console: Console) -> str | None:
    """Return why the service is not ready, or None. Too little free disk space is a printed warning, not a fault."""
    try:
        response = api.get("/readyz")
    except httpx.TransportError:
        return "the API does not answer"
    if response.is_success:
        return None
    problem = response.json()
    faults = [part for part, state in problem.get("parts", {}).items() if state != "ok"]
    if faults == ["disk"]:
        console.print(
            f"Warning: {problem['detail']} (IMAGEMILL_MIN_FREE_MB); new jobs are refused until there is room."
        )
        return None
    return str(problem["detail"])
