"""A lock on a run folder. The kernel releases it when the process ends."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from models import atomic_file
from training.errors import StateError

_LOCK = "owner"
_RETRY_SECONDS = 0.05
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""Error numbers of file systems without locks."""


@contextmanager
def hold(folder: Path) -> Iterator[str]:
    """Lock a run folder while its run trains, and remove temporary files of earlier processes.

    With several processes, only the leader locks. Yields a warning if the file system has no locks, otherwise an empty
    string. Raises StateError with the owner's name when another process trains the run, or OSError if there is no such
    folder.
    """
    with (folder / _LOCK).open("a+", encoding="utf-8") as file:
        warning = _lock(file, folder)
        _write_owner(file)
        for place in (folder, folder / "samples"):
            atomic_file.remove_abandoned(place)
        yield warning


def _lock(file: TextIO, folder: Path) -> str:
    try:
        _lock_exclusively(file)
    except BlockingIOError as error:
        # The owner's text is for the message only. The kernel's lock decides.
        file.seek(0)
        owner = file.readline().strip() or "another process"
        raise StateError(
            f"{folder}: this run is being trained by {owner}; stop that first, or train a new run"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return f"the file system of {folder} has no locks; make sure that no other process trains this run"
    return ""


def _lock_exclusively(file: TextIO) -> None:
    """Lock a file. A second try passes the page of the service, whose test for a lock lasts microseconds."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_RETRY_SECONDS)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_owner(file: TextIO) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M:%S}\n")
    file.flush()
