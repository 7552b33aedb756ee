"""Starts the parts of the service separately: queue server, API, and workers of any command on any core."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from redis import Redis
from redis.exceptions import RedisError

from app.cluster.cluster_state import ClusterState
from app.local.supervisor import queue_command
from benchmarks.service import processes
from imagemill.start import command
from worker.contracts.queue.connection import connect
from worker.contracts.queue.redis_url import of_socket
from worker.contracts.store.store import Store

_ROOT = Path(__file__).parents[1]
_READY_SECONDS, _END_SECONDS, _POLL_SECONDS = 120, 60, 0.005
_REDIS_SECONDS = 20
_LOG_LETTERS = 2000

WORKER = tuple(command("worker")[1:])
"""Command line of a real worker, after the name of the interpreter."""


class StartError(Exception):
    """A part did not start."""


class ServiceProcesses:
    """A context manager: queue server and API run inside, and workers after `start_workers`."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, password: str = "") -> None:
        self._folder = folder
        self._password = password
        self._queue_socket = folder / "queue.sock"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.store_folder = folder / "store"
        url = self.queue_url(password)
        own = {"IMAGEMILL_REDIS_URL": url, "IMAGEMILL_STORE": str(self.store_folder), "IMAGEMILL_LOG_LEVEL": "warning"}
        self._environment = {**os.environ, **own, **(environment or {})}
        self.redis: Redis = connect(url, _REDIS_SECONDS)
        self.live = ClusterState(self.redis)
        self.store = Store(str(self.store_folder))
        self.ready_seconds: dict[str, float] = {}
        """Time from the start of a part until it was ready."""
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start the queue server and the API, and wait until both answer."""
        try:
            self.start_queue()
            self._wait("queue", self._has_queue)
            self.start_api("api")
            self._wait("api", self._has_api)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stop()

    def queue_url(self, password: str) -> str:
        """Return the URL of the queue server."""
        return of_socket(self._queue_socket, password)

    def start_queue(self) -> None:
        """Start an empty queue server."""
        password = ["--requirepass", self._password] if self._password else []
        self._start("queue", [*queue_command(self._queue_socket), *password])

    def start_api(self, name: str) -> None:
        """Start an API process; all of them share one port."""
        self._start(name, command("api", "--fd", str(self._listener.fileno())))

    def start_workers(
        self, count: int, arguments: Sequence[str], environment: Mapping[str, str], *, is_pinned: bool = False
    ) -> None:
        """Start workers, and wait until they are ready. Pinned workers have the core of their number."""
        for number in range(count):
            worker = self._spawn(f"worker{number}", [sys.executable, *arguments], environment)
            self._workers.append(worker)
            if is_pinned:
                core = sorted(os.sched_getaffinity(0))[number]
                os.sched_setaffinity(
                    worker.pid, {core}
                )  # it has one thread still, and later threads inherit the affinity
        self._wait(f"worker{count - 1}", lambda: len(self.live.workers()) >= count)

    def forget_worker(self) -> subprocess.Popen[bytes]:
        """Return a worker's process. The caller ends it."""
        return self._workers.pop()

    def stop_workers(self) -> None:
        """Stop the workers after they have finished their tasks."""
        _end(self._workers)
        self._workers.clear()

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time of queue server, API and workers since their starts."""
        parts = {name: [process] for name, process in self._parts.items()} | {"workers": self._workers}
        return {name: processes.cpu_seconds(process.pid for process in found) for name, found in parts.items()}

    def peak_mb(self) -> dict[str, float]:
        """Return the peaks of the resident memory of queue server and API, in MB."""
        return {name: processes.peak_mb(processes.tree(process.pid)) for name, process in self._parts.items()}

    def discard(self, job_id: str) -> None:
        """Remove the files of a settled job, to free disk space."""
        shutil.rmtree(self.store_folder / "jobs" / job_id)

    def _start(self, name: str, command: list[str]) -> None:
        self._parts[name] = self._spawn(name, command, {})

    def _spawn(self, name: str, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=_ROOT,
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(self._listener.fileno(),),
                start_new_session=True,
            )

    def _wait(self, name: str, condition: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not condition():
            has_died = any(process.poll() is not None for process in (*self._parts.values(), *self._workers))
            if has_died or time.monotonic() > began + _READY_SECONDS:
                said = self._log(name).read_text(errors="replace")[-_LOG_LETTERS:]
                raise StartError(f"{name} did not start; it said: {said}")
            time.sleep(_POLL_SECONDS)
        self.ready_seconds[name] = time.monotonic() - began

    def _has_queue(self) -> bool:
        with suppress(RedisError):
            return self._queue_socket.exists() and bool(
                self.redis.ping()
            )  # without a socket, the client would repeat the ping after a pause
        return False

    def _has_api(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        return False

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _stop(self) -> None:
        """Stop the users of the queue first, then the queue."""
        self.stop_workers()
        queue = self._parts.pop("queue", None)
        _end([*self._parts.values()])
        self._parts.clear()
        _end([queue] if queue else [])
        self.redis.close()
        self._listener.close()


def _end(ended: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in ended:
        process.terminate()
    for process in ended:
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
