"""A disk of a few megabytes under a folder, where this process may mount one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Mount a disk. Yields whether that was allowed."""
    folder.mkdir(parents=True)
    mount, umount = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
    command = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    is_mounted = os.geteuid() == 0 and not subprocess.run(command, capture_output=True, check=False).returncode
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run([umount, "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write a file until there is no room for another byte."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 12)):
                pass
        except OSError:
            return path
    raise AssertionError("the disk has no end")
