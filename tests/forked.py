"""Processes that begin with the slow libraries loaded: see `tests.fork_server`."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.fork_server import NUMBER

_VARIABLE = "IMAGEMILL_TEST_FORK_SERVER"
_START_SECONDS = 60
VARIABLES = {"PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "120"}
"""Variables of processes under test: the code of this checkout, and the width of the terminal.

Some modules read the width when they are loaded, so the server must have it, too.
"""


class ForkedProcess:
    """A process of the fork server, with the part of `subprocess.Popen` that tests need."""

    def __init__(
        self,
        code: str,
        arguments: list[str],
        folder: Path,
        environment: Mapping[str, str],
        out: IO[bytes],
        error: IO[bytes],
    ) -> None:
        self.args = arguments
        self.returncode: int | None = None
        request = {"code": code, "arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        data = json.dumps(request).encode()
        self._connection = _connected(Path(os.environ[_VARIABLE]))
        with Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), out.fileno(), error.fileno()]
            socket.send_fds(self._connection, [NUMBER.pack(len(data))], files)
            self._connection.sendall(data)
        self.pid = self._number()

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def _end(self) -> None:
        self.returncode = self._number()
        self._connection.close()

    def _number(self) -> int:
        return int(NUMBER.unpack(self._connection.recv(NUMBER.size, socket.MSG_WAITALL))[0])


def _connected(path: Path) -> socket.socket:
    deadline = time.monotonic() + _START_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, "the fork server did not start"
        time.sleep(0.02)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment may be forked: one with other libraries has to be started."""
    return _VARIABLE in os.environ and environment.get("LD_PRELOAD") == os.environ.get("LD_PRELOAD")


def run(
    code: str, arguments: list[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Run a forked process to its end and keep what it says."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        process = ForkedProcess(code, arguments, folder, environment, out, error)
        try:
            status = process.wait(timeout)
        except BaseException:
            process.kill()
            raise
        said = []
        for file in (out, error):
            file.seek(0)
            said.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(arguments, status, *said)


@contextmanager
def fork_server() -> Iterator[None]:
    """Run the server for this process and those that it starts, where processes can be forked safely."""
    if not sys.platform.startswith("linux") or _VARIABLE in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fork")
        command = [sys.executable, "-P", str(Path(__file__).with_name("fork_server.py")), str(path)]
        with subprocess.Popen(
            command, env={**os.environ, **VARIABLES}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as server:
            os.environ[_VARIABLE] = str(path)
            try:
                yield
            finally:
                del os.environ[_VARIABLE]
                server.kill()
