"""The lists of jobs in the store: all jobs of an owner, and those of one name, the newest first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from worker.contracts.jobs import JobSpec
from worker.contracts.store import paths
from worker.contracts.store.object_store import Objects

_EPOCH = datetime.fromtimestamp(0, UTC)
_LATEST_MS = 10**13
"""A time in the year 2286. Entries hold the milliseconds from a job's creation to it: the newest job sorts first."""
_FOLDER_DIGITS = 6
"""Leading digits that name a subfolder. It holds the jobs of 2.8 hours, so a folder on a disk is read quickly."""
CURSOR_PATTERN = r"^[0-9]{13}\.[A-Za-z0-9_-]{22}$"


class ListedJob(NamedTuple):
    """An entry of a list."""

    cursor: str
    """Position in the list. Jobs that are added later do not change it."""
    id: str


class JobList:
    """Writes and reads the lists. An entry is an empty object whose path holds the time and the id of a job."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def add(self, spec: JobSpec) -> None:
        """Add a job to the lists of its owner. Repeating it changes nothing."""
        for path in entries(spec):
            self._objects.put(path, b"")

    def sync(self, spec: JobSpec) -> None:
        """Force the entries of a job to the disk."""
        for path in entries(spec):
            self._objects.sync(path)

    def after(self, owner: str, name: str | None, cursor: str | None) -> Iterator[ListedJob]:
        """Yield the jobs of an owner, the newest first: all or those of a name, from the start or after a cursor."""
        folder = paths.listed(owner) if name is None else paths.named(owner, name)
        for path in self._objects.list_sorted(folder, None if cursor is None else _path(folder, cursor)):
            found = path.removeprefix(f"{folder}/").replace("/", "")
            yield ListedJob(found, found.partition(".")[2])


def entries(spec: JobSpec) -> list[str]:
    """Return the paths of a job in the lists. The job of an image's address is in none."""
    if spec.is_address:
        return []
    age = (spec.created - _EPOCH) // timedelta(milliseconds=1)
    cursor = f"{max(0, _LATEST_MS - age):013}.{spec.id}"
    folders = [paths.listed(spec.owner)] + ([paths.named(spec.owner, spec.name)] if spec.name else [])
    return [_path(folder, cursor) for folder in folders]


def _path(folder: str, cursor: str) -> str:
    return f"{folder}/{cursor[:_FOLDER_DIGITS]}/{cursor[_FOLDER_DIGITS:]}"
