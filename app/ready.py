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
        while not _is_ready(api):
            if time.monotonic() > deadline:
                raise StackError(f"the service was not ready after {_READY_SECONDS} s; its messages are above")
            stack.tend()
            time.sleep(_POLL_SECONDS)


def _is_ready(api: httpx.Client) -> bool:
    try:
        return api.get("/readyz").is_success
    except httpx.TransportError:
        return False
