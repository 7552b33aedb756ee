"""Repeats requests while the server is away or busy."""

import time
from collections.abc import Callable

import httpx

from app.client.errors import ClientError
from app.client.parsing import refusal
from app.client.steps import Flow, Pause, Request, send

PATIENCE_SECONDS = 30.0
"""Default time for which a request is repeated."""


class Retries:
    """Sends requests that may be repeated. `notify` gets a sentence before the first pause."""

    def __init__(self, patience_seconds: float, notify: Callable[[str], object]) -> None:
        self._patience_seconds = patience_seconds
        self.notify = notify

    def send(self, request: Request) -> Flow[httpx.Response]:
        """Send a request until it succeeds. Raises the last error when the server needs longer than the patience."""
        deadline: float | None = None  # counts from the first failure: a lost response may have taken long
        while True:
            try:
                response = yield from send(request)
                if response.is_success:
                    return response
                raise refusal(response)
            except ClientError as error:
                pause, now = error.retry_after_seconds, time.monotonic()
                # A pause that goes beyond the deadline would only delay the error.
                if pause is None or now + pause > (deadline or now + self._patience_seconds):
                    raise
                if deadline is None:
                    deadline = now + self._patience_seconds
                    self.notify(f"{error}; retrying for {self._patience_seconds:g} s")
            yield Pause(pause)
