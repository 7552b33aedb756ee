"""A running engine: a process group that is measured from outside."""

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from benchmarks.service import processes
from benchmarks.service.engine import Engine, EngineError

_ROOT = Path(__file__).parents[2]
_READY_SECONDS, _END_SECONDS, _POLL_SECONDS = 180, 30, 0.1
_LOG_LETTERS = 2000


class Server:
    """A context manager: the engine answers at `url` inside. `folder` holds its files and its log."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._log = folder / "messages.log"
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start the engine, and wait until it answers. Raises EngineError."""
        self._process = self._start()
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the engine."""
        self._stop()

    def messages(self) -> str:
        """Return the end of the engine's log."""
        return self._log.read_text(errors="replace")[-_LOG_LETTERS:]

    def process(self, argument: str) -> int:
        """Return the id of the engine's process that has an argument in its command line. Raises EngineError."""
        for pid in processes.tree(self._process.pid):
            if argument in processes.arguments(pid):
                return pid
        raise EngineError(f"no process was started with {argument}; it said: {self.messages()}")

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its processes since their starts."""
        return processes.cpu_seconds(processes.tree(self._process.pid))

    def peak_mb(self) -> float:
        """Return the sum of the memory peaks of its processes since their starts."""
        return processes.peak_mb(processes.tree(self._process.pid))

    def _start(self) -> subprocess.Popen[bytes]:
        def filled(text: str) -> str:
            return text.format(port=self._port, folder=self._folder)

        with self._log.open("wb") as log:
            return subprocess.Popen(
                [self._engine.python, *map(filled, self._engine.arguments)],
                cwd=_ROOT,
                env={**os.environ, **{name: filled(value) for name, value in self._engine.environment.items()}},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            while not _answers(client, self._engine.ready):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise EngineError(f"did not start; it said: {self.messages()}")
                time.sleep(_POLL_SECONDS)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # ends the rest of the engine's process group
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
