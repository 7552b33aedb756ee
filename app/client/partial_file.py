"""Partial files: what was downloaded of an archive before a stop, kept hidden beside it for the next try."""

import fcntl
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.client.client import ClientError

_NAME = re.compile(r"\.(?P<out>.+)\.(?P<job>[\w-]+)\.partial", re.ASCII | re.DOTALL)
_JOB_ID = re.compile(r"[\w-]{22}", re.ASCII)


@dataclass(frozen=True)
class PartialFile:
    """A partial file, and what it says by its name."""

    path: Path
    out: Path
    """The file that it becomes."""
    job_id: str

    @property
    def is_in_use(self) -> bool:
        """Whether a process is writing it."""
        try:
            with self.path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # it is gone, or the file system knows no locks
            return False
        return False


def path_of(out: Path, job_id: str) -> Path:
    """Name the file that becomes `out` once the archive of a job is whole."""
    return out.with_name(f".{out.name}.{job_id}.partial")


def of_job(folder: Path, job_id: str) -> list[PartialFile]:
    """List the partial files of a job that no process is writing, the largest first."""
    found = [partial for partial in _all(folder) if partial.job_id == job_id and not partial.is_in_use]
    return sorted(found, key=lambda partial: partial.path.stat().st_size, reverse=True)


def left_over(folder: Path) -> list[PartialFile]:
    """List the partial files of all jobs that no process is writing."""
    return [partial for partial in _all(folder) if _JOB_ID.fullmatch(partial.job_id) and not partial.is_in_use]


def lock(file: IO[bytes], path: Path) -> None:
    """Let no second process append to the file; where the file system knows no locks, that is not prevented."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ClientError(f"another imagemill is writing {path}") from error
    except OSError:
        return


def _all(folder: Path) -> Iterator[PartialFile]:
    for path in sorted(folder.glob(".*.partial")):
        match = _NAME.fullmatch(path.name)
        if match and path.is_file():
            yield PartialFile(path, folder / match["out"], match["job"])
