"""Partial files: the beginning of an archive, kept hidden next to the output file until a later run resumes it."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.client.errors import FileError

if sys.platform != "win32":
    import fcntl

_NAME = re.compile(r"\.(?P<out>.+)\.(?P<job>[\w-]+)\.partial", re.ASCII | re.DOTALL)
_JOB_ID = re.compile(r"[\w-]{22}", re.ASCII)


@dataclass(frozen=True)
class PartialFile:
    """A partial file, and the facts that its name holds."""

    path: Path
    out: Path
    """The file that it becomes."""
    job_id: str

    @property
    def is_in_use(self) -> bool:
        """Whether a process is writing it."""
        try:
            with self.path.open("rb") as file:
                return not _try_lock(file)
        except OSError:  # the file is gone
            return False


def path_of(out: Path, job_id: str) -> Path:
    """Return the path of the file that becomes `out` once the archive of the job is complete."""
    return out.with_name(f".{out.name}.{job_id}.partial")


def of_job(folder: Path, job_id: str) -> list[PartialFile]:
    """List the partial files of a job that no process is writing, the largest first."""
    found = [partial for partial in _all(folder) if partial.job_id == job_id and not partial.is_in_use]
    return sorted(found, key=lambda partial: partial.path.stat().st_size, reverse=True)


def left_over(folder: Path) -> list[PartialFile]:
    """List the partial files of all jobs that no process is writing."""
    return [partial for partial in _all(folder) if _JOB_ID.fullmatch(partial.job_id) and not partial.is_in_use]


def lock(file: IO[bytes], path: Path) -> None:
    """Raise FileError if another process is writing the file. File systems without locks cannot tell."""
    if not _try_lock(file):
        raise FileError(f"another imagemill is writing {path}")


def _try_lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed. False if another process has locked it."""
    # The kernel releases the lock with the process, so a killed download leaves none behind.
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system knows no locks
        return True
    return True


def _all(folder: Path) -> Iterator[PartialFile]:
    for path in sorted(folder.glob(".*.partial")):
        match = _NAME.fullmatch(path.name)
        if match and path.is_file():
            yield PartialFile(path, folder / match["out"], match["job"])
