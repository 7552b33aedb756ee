"""Waiting until a service on this machine is ready."""

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


def wait_until_ready(stack: LocalService, console: Console) -> None:
    """Wait until a job would be rendered; raises StackError when that takes too long."""
    deadline = time.monotonic() + _READY_SECONDS
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    status = console.status("Starting the queue, the API and a worker", spinner=spinner)
    with status, httpx.Client(base_url=stack.url, timeout=5) as api:
        while (fault := _fault(api, console)) is not None:
            if time.monotonic() > deadline:
                raise LocalServiceError(
                    f"the service was not ready after {_READY_SECONDS} s: {fault}; more is said above"
                )
            stack.tend()
            stack.check()
            time.sleep(_POLL_SECONDS)


def tell_set_aside(stack: LocalService, console: Console) -> None:
    """Tell which files the workers cannot use, and why."""
    with suppress(RedisError), connect(stack.queue_url, _QUEUE_SECONDS) as redis:
        for file in ClusterState(redis).set_aside():
            console.print(f"Set aside: {file.file}: {file.reason}", markup=False, highlight=False)


def _fault(api: httpx.Client, console: Console) -> str | None:
    """Ask what the service lacks; None when it is ready. Without enough free disk space it starts, and says so."""
    try:
        answer = api.get("/readyz")
    except httpx.TransportError:
        return "the API does not answer"
    if answer.is_success:
        return None
    problem = answer.json()
    faults = [part for part, said in problem.get("parts", {}).items() if said != "ok"]
    if faults == ["disk"]:
        console.print(
            f"Warning: {problem['detail']} (IMAGEMILL_MIN_FREE_MB); new jobs are refused until there is room."
        )
        return None
    return str(problem["detail"])
