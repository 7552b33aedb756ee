"""The service is stopped, or a job is cancelled, while clients read endless responses."""

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.running_service import RunningService, wait_until

STOP_SECONDS = 4
WHOLE, CUT = "whole", "RemoteProtocolError"
"""The two endings of a response: complete, or broken off by the server."""


class Api:
    """An API process that tests may stop, and background readers of its responses."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.url = service.start_api()
        self.port = int(self.url.rsplit(":", 1)[1])
        self._process = service.last_api
        self._log: Path = service.last_api_log
        self._pool = ThreadPoolExecutor()
        self._begun = 0

    def reads(self, path: str) -> Future[str]:
        """Read a response in the background. Returns when it has started; the future has its ending."""
        before, future = self._begun, self._pool.submit(self._read, path)
        wait_until(lambda: self._begun > before or future.done())
        return future

    def waits(self, n: int) -> Future[httpx.Response]:
        """Send a request for a job in the background, and wait for its end. Returns when the job has been accepted."""
        jobs = self.service.folder / "store" / "jobs"
        before = len(list(jobs.iterdir()))
        options: dict[str, Any] = {"params": {"n": n}, "headers": {"Prefer": "wait=60"}, "timeout": 60}
        future = self._pool.submit(lambda: httpx.post(f"{self.url}/generate", **options))
        wait_until(lambda: len(list(jobs.iterdir())) > before)
        return future

    def stop(self) -> float:
        """Stop the process like Ctrl-C. Returns the seconds that it took."""
        begin = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        return time.monotonic() - begin

    def close(self) -> None:
        self._process.kill()
        self._pool.shutdown()

    @property
    def errors(self) -> list[str]:
        """The logged errors and tracebacks."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if "ERROR" in line or "Traceback" in line]

    def _read(self, path: str) -> str:
        try:
            with httpx.stream("GET", f"{self.url}{path}", timeout=60) as answer:
                self._begun += 1
                for _ in answer.iter_raw():
                    pass
        except httpx.TransportError as error:
            return type(error).__name__
        return WHOLE


@pytest.fixture
def api(idle_service: RunningService) -> Iterator[Api]:
    found = Api(idle_service)
    yield found
    found.close()


def test_a_stop_cuts_what_has_no_end_and_answers_requests_that_wait(api: Api) -> None:
    links = api.service.generate(300)["links"]
    growing, events = api.reads(links["download"]), api.reads(f"{links['self']}/events")
    waiting = api.waits(3)
    assert api.stop() < STOP_SECONDS
    assert (growing.result(), events.result()) == (CUT, CUT)
    assert (waiting.result().status_code, waiting.result().json()["done"]) == (202, False)
    assert api.errors == []


def test_a_stop_does_not_wait_for_readers_that_stand_still(api: Api) -> None:
    api.service.start_worker()
    path = api.service.wait_done(api.service.generate(2000)["id"])["links"]["download"]
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", api.port))
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert reader.recv(15) == b"HTTP/1.1 200 OK"
        assert api.stop() < STOP_SECONDS
    assert api.errors == []


def drain(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def test_a_cancelled_job_cuts_its_downloads_without_an_error(api: Api) -> None:
    job = api.service.generate(300)
    growing = api.reads(job["links"]["download"])
    with socket.create_connection(("127.0.0.1", api.port)) as old:
        old.sendall(f"GET {job['links']['download']} HTTP/1.0\r\n\r\n".encode())
        assert old.recv(15) == b"HTTP/1.1 200 OK"
        httpx.post(f"{api.url}{job['links']['cancel']}").raise_for_status()
        assert growing.result() == CUT
        with pytest.raises(ConnectionResetError):
            drain(old)
    assert api.errors == []
