"""One process of the local service. It is restarted when it dies."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import IO

from worker.contracts.logs import fields

_BACKOFF_SECONDS = (0.5, 1, 2, 5, 10, 30)
"""Pauses before the restarts after 1, 2, 3 ... crashes in a row."""
_STABLE_SECONDS = 60
"""A process that has run for longer than this starts to count its crashes from zero."""
_READ_SECONDS = 1
"""Longest wait for the last output of a dead process. A child that it started may hold the pipe open."""
_KEPT_LINES = 20
_MAX_LINE_LETTERS = 500
_PR_SET_PDEATHSIG = 1
"""Option of prctl(2): the signal that a process gets when its parent dies."""

log = logging.getLogger(__name__)


class ManagedProcess:
    """One process, restarted after a pause when it dies. Its output goes to our stderr, unless `is_quiet` is set."""

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        fds: tuple[int, ...] = (),
        *,
        is_quiet: bool = False,
    ) -> None:
        self.name = name
        self.crashes = 0
        """Number of crashes in a row, each soon after a start."""
        self.status: int | None = None
        """Last exit status. It is minus the number of the signal if a signal killed the process."""
        self._command = command
        self._environment = {**os.environ, **environment}
        self._fds = fds
        self._is_quiet = is_quiet
        self._next_start = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._lines: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._reader: Thread | None = None

    def start(self) -> None:
        """Start the process. It cannot outlive this process. Raises OSError."""
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self._fds,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops everything in order
            preexec_fn=_die_with_parent(os.getpid()),
        )
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def restart_if_dead(self) -> None:
        """Restart the process if it has died and its pause is over."""
        if self._process is not None and self._process.poll() is not None:
            is_stable = time.monotonic() - self._started_at > _STABLE_SECONDS
            self.crashes = 0 if is_stable else self.crashes + 1
            self._schedule_restart(self._process.returncode)
        if self._process is None and time.monotonic() >= self._next_start:
            try:
                self.start()
            except OSError as error:  # the system has no process or no memory left
                self.crashes += 1
                self._lines.append(str(error).encode())
                self._schedule_restart(None)

    def last_line(self) -> str:
        """Return the last line that the process wrote, cut to 500 characters."""
        lines = (line.decode(errors="replace").strip() for line in reversed(self._lines))
        return next(filter(None, lines), "nothing")[:_MAX_LINE_LETTERS]

    def _schedule_restart(self, status: int | None) -> None:
        """Schedule the next start. The pause grows with the number of crashes."""
        if self._reader is not None:
            self._reader.join(_READ_SECONDS)
        pause = _BACKOFF_SECONDS[min(self.crashes, len(_BACKOFF_SECONDS)) - 1] if self.crashes else 0
        self._process, self._next_start, self.status = None, time.monotonic() + pause, status
        log.warning("%s died", self.name, extra=fields(status=status, restart_in_seconds=pause))

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._lines.append(line)
                if not self._is_quiet:
                    with suppress(OSError, ValueError):  # a closed terminal must not block the process
                        sys.stderr.buffer.write(line)
                        sys.stderr.buffer.flush()

    def terminate(self) -> None:
        """Send SIGTERM to the process if it is running."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait until the process has ended. Kill it at the deadline (a time of the monotonic clock)."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return a function for the child to run before exec: the kernel then kills it when its parent dies. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before prctl was called
            os._exit(1)

    return prepare
