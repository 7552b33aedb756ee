"""Waiting until a service on this machine is ready."""

import time

import httpx
from rich.console import Console

from app.stack import Stack, StackError

_READY_SECONDS = 60
_POLL_SECONDS = 0.1


def wait_until_ready(stack: Stack, console: Console) -> None:
    """Wait until a job would be rendered; raises StackError when that takes too long."""
    deadline = time.monotonic() + _READY_SECONDS
    with console.status("Starting the queue, the API and a worker"), httpx.Client(base_url=stack.url, timeout=5) as api:
        while (fault := _fault(api)) is not None:
            if time.monotonic() > deadline:
                raise StackError(f"the service was not ready after {_READY_SECONDS} s: {fault}; more is said above")
            stack.tend()
            stack.check()
            time.sleep(_POLL_SECONDS)


def _fault(api: httpx.Client) -> str | None:
    """Ask what the service lacks; None when it is ready."""
    try:
        answer = api.get("/readyz")
    except httpx.TransportError:
        return "the API does not answer"
    return None if answer.is_success else str(answer.json()["detail"])
