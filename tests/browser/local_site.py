"""A real `imagemill up` for the tests of the page, and further API processes beside it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.command import COMMAND, ENVIRONMENT
from tests.integration.running_service import wait_until
from tests.ports import free_port
from worker.contracts.queue import redis_url

_START_SECONDS = 90
_STOP_SECONDS = 30


class LocalSite:
    """Runs `imagemill up` in a folder until it is closed."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.runs = folder / "runs"
        self.runs.mkdir(exist_ok=True)
        self.opened = folder / "opened"
        """Has the address that `--open` has given to the user's browser."""
        browser = folder / "browser.sh"
        browser.write_text(f'#!/bin/sh\necho "$1" > {self.opened}\n')
        browser.chmod(0o700)
        self._environment = {**ENVIRONMENT, "BROWSER": f"{browser} %s", **environment}
        self._log = folder / "up.log"
        self._process = self._start("up", "--open", "--port", "0", "--data", str(self.data), "--runs", str(self.runs))
        try:
            wait_until(self._is_ready, _START_SECONDS)
        except BaseException:
            self._process.terminate()
            raise
        self.url = re.findall(r"Ready at (http://[^ /]+)", self._log.read_text())[0]
        self.client = httpx.Client(base_url=self.url, timeout=_STOP_SECONDS)

    @contextmanager
    def another_api(self, **environment: str) -> Iterator[str]:
        """Run one more API on the same jobs and workers. Yields its address."""
        port = free_port()
        more = {
            "IMAGEMILL_REDIS_URL": redis_url.of_socket(self.data / "run" / "queue.sock"),
            "IMAGEMILL_STORE": str(self.data / "store"),
            "IMAGEMILL_RUNS": str(self.runs),
            **environment,
        }
        process = self._start("api", "--port", str(port), **more)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: process.poll() is not None or _answers(url), _START_SECONDS)
            assert process.poll() is None, self._log.read_text()
            yield url
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)

    def close(self) -> None:
        """Stop the service as Ctrl-C does."""
        self.client.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_STOP_SECONDS)

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        return "Ready at" in self._log.read_text()

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=self.folder,
                env={**os.environ, **self._environment, **environment, "COLUMNS": "200"},
                stdout=log,
                stderr=log,
            )


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False
