"""The numbered folders of training runs, as `imagemill train` writes them."""

import fcntl
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from pydantic import ValidationError

from app.errors import ApiError
from app.schemas.runs import Epoch, Run, RunList, RunLog, RunSummary

_FOLDER = re.compile(r"([0-9]{1,9})-(.+)")
_SAMPLES = re.compile(r"images-([0-9]{9})\.png")
_LOG, _LOCK = "log.jsonl", "owner"
_MOST_RUNS = 500
"""Largest number of runs in the list, the newest ones."""


class RunFolders:
    """The runs in a folder. Without a folder there are none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def list_runs(self) -> RunList:
        """Return the runs, the newest first."""
        newest = sorted(self._folders().items(), reverse=True)[:_MOST_RUNS]
        return RunList(
            has_folder=self._folder is not None, runs=[_summary(number, folder) for number, folder in newest]
        )

    def find(self, number: int) -> Run:
        """Return a run. Raises ApiError 404."""
        folder = self._find_folder(number)
        samples = (_SAMPLES.fullmatch(path.name) for path in (folder / "samples").glob("images-*.png"))
        return Run(
            **_summary(number, folder).model_dump(),
            samples=sorted(int(match[1]) for match in samples if match),
            checkpoints=sorted(path.stem for path in folder.glob("*.safetensors")),
        )

    def log(self, number: int, after: int) -> RunLog:
        """Return the lines of a run's log after the first `after` ones. Raises ApiError 404."""
        lines = _epochs(self._find_folder(number))
        return RunLog(lines=list(lines[after:]), next=len(lines))

    def sample_file(self, number: int, images_seen: int) -> Path:
        """Return the contact sheet of a run after `images_seen` images. Raises ApiError 404."""
        path = _find_file(self._find_folder(number), f"samples/images-{images_seen:09d}.png")
        if path is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"run {number} has no samples after {images_seen} images")
        return path

    def _find_folder(self, number: int) -> Path:
        folder = self._folders().get(number)
        if folder is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"there is no run {number}; GET /runs lists them")
        return folder

    def _folders(self) -> dict[int, Path]:
        if self._folder is None or not self._folder.is_dir():
            return {}
        found = ((_FOLDER.fullmatch(path.name), path) for path in self._folder.iterdir())
        return {int(match[1]): path for match, path in found if match and path.is_dir() and _is_text(path.name)}


def _summary(number: int, folder: Path) -> RunSummary:
    lines = _epochs(folder)
    last = lines[-1] if lines else Epoch(epoch=0, images_seen=0)
    changed = _stamp(_find_file(folder, _LOG))
    return RunSummary(
        number=number,
        name=folder.name.partition("-")[2],
        state="running" if _is_locked(folder) else "ended",
        epochs=last.epoch,
        images_seen=last.images_seen,
        seconds=last.seconds,
        metrics=next((line.metrics for line in reversed(lines) if line.metrics), {}),
        events=sum(len(line.events) for line in lines),
        updated_at=datetime.fromtimestamp(changed[0] / 1e9, UTC) if changed else None,
    )


def _find_file(folder: Path, name: str) -> Path | None:
    """Return a file of a run, or None. A link out of the folder, a pipe or a device is not a file of the run."""
    with suppress(OSError, RuntimeError):  # a link that leads to itself
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            return path
    return None


def _is_text(name: str) -> bool:
    """Return whether a name can be sent as JSON. Linux allows names that are not UTF-8."""
    return name.isprintable()


def _epochs(folder: Path) -> tuple[Epoch, ...]:
    path = _find_file(folder, _LOG)
    stamp = _stamp(path)
    return () if path is None or stamp is None else _read_log(path, stamp)


@lru_cache(maxsize=64)
def _read_log(path: Path, _stamp: tuple[int, int]) -> tuple[Epoch, ...]:
    """Read a log. A line that a crash cut off is skipped. The stamp makes the cache read a changed file again."""
    lines = []
    for text in path.read_bytes().splitlines():
        try:
            lines.append(Epoch.model_validate_json(text))
        except ValidationError:
            continue
    return tuple(lines)


def _is_locked(folder: Path) -> bool:
    """Return whether a process trains the run: it holds an exclusive lock on the file.

    The shared lock of this test lasts microseconds. A training that starts at that moment tries again.
    """
    path = _find_file(folder, _LOCK)
    if path is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """Return modification time in nanoseconds and size, or None without a file."""
    with suppress(OSError):  # removed meanwhile
        found = path.stat() if path else None
        return (found.st_mtime_ns, found.st_size) if found else None
    return None
