"""The turn of a worker to fill a GPU with models, while no other worker does."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import torch

from worker.contracts.logs import fields

_POLL_SECONDS = 0.1

log = logging.getLogger(__name__)


@contextmanager
def device_turn(device: torch.device, folder: Path | None = None, seconds: float = 120) -> Iterator[None]:
    """Hold the lock of a GPU, or of nothing for a CPU. Without turns, the free memory would depend on a race.

    The lock is a file, in the folder for temporary files by default. So workers in containers do not wait for each
    other. After `seconds`, or if the file cannot be used, the work begins without the lock.
    """
    if device.type == "cpu":
        yield
        return
    path = (folder or Path(gettempdir())) / f"imagemill-{os.getuid()}-{_uuid(device)}.lock"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        log.warning("the lock of the GPU could not be used", extra=fields(path=path, reason=error))
        yield
        return
    try:
        if not _lock(descriptor, time.monotonic() + seconds):
            log.warning(
                "another worker held the lock of the GPU for too long", extra=fields(path=path, seconds=seconds)
            )
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True


def _uuid(device: torch.device) -> str:
    return str(torch.cuda.get_device_properties(device).uuid)
