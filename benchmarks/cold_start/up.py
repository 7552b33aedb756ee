"""Times `imagemill up` until the API answers, until a job would be rendered, and until the address is printed."""

import subprocess
import tempfile
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_server

from benchmarks.cold_start.stages import StageError, Stages
from imagemill.start import command

_ROOT = Path(__file__).parents[2]
_POLL_SECONDS, _READY_SECONDS, _END_SECONDS = 0.01, 120, 60


def measure() -> Stages:
    """Start the service, time its three end points, and stop it."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        port = _free_port()
        began = time.perf_counter()
        up = command("up", "--port", f"{port}", "--data", f"{folder}/data")
        process = subprocess.Popen(up, cwd=_ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        try:
            alive = _first_success(port, "/healthz", process) - began
            ready = _first_success(port, "/readyz", process) - began
            _wait_until_printed(process)
            printed = time.perf_counter() - began
        finally:
            _end(process)
    return {"the API answers": alive, "a job would be rendered": ready, "the address is printed": printed}


def _first_success(port: int, path: str, process: subprocess.Popen[str]) -> float:
    deadline = time.monotonic() + _READY_SECONDS
    while not _succeeds(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StageError(f"imagemill up did not answer at {path}")
        time.sleep(_POLL_SECONDS)
    return time.perf_counter()


def _succeeds(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=_READY_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _wait_until_printed(process: subprocess.Popen[str]) -> None:
    for line in process.stdout or ():
        if line.startswith("Ready"):
            return
    raise StageError("imagemill up did not say that it is ready")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_END_SECONDS)
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
