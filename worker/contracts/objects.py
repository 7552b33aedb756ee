"""Objects: bytes under a path, in a folder or in a bucket. A thin layer over obstore that forces files to the disk."""

import os
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.exceptions import BaseError as StoreError
from obstore.store import LocalStore, from_url
from pydantic import BaseModel, ValidationError

from worker.contracts.age import age

_CHUNK_BYTES = 1 << 20
_SYNCED_AT_ONCE = 8

__all__ = ["DamagedError", "Objects", "StoreError"]

M = TypeVar("M", bound=BaseModel)


class DamagedError(Exception):
    """An object in the store is not what was written there."""


class Listed(NamedTuple):
    """One object, without its bytes."""

    path: str
    modified: datetime
    size: int


class Objects:
    """An object store; `url` is a folder, or s3://bucket/prefix and the like."""

    def __init__(self, url: str, folders: Iterable[str]) -> None:
        # Side by side, as a journal commits for all who wait: two files took 0.2 ms on ext4, one after the other 7.
        self._syncing = ThreadPoolExecutor(_SYNCED_AT_ONCE, "sync")
        self._folder = None if "://" in url else Path(url).resolve()
        self._store = from_url(url) if self._folder is None else LocalStore(self._folder, mkdir=True)
        if self._folder is not None:
            for name in folders:
                (self._folder / name).mkdir(exist_ok=True)
            _sync(self._folder)

    def put(self, path: str, data: bytes) -> None:
        """Write an object, over the one before."""
        obstore.put(self._store, path, data)

    def create(self, path: str, data: bytes) -> bool:
        """Write a new object. False, and nothing written, when there is one already."""
        try:
            obstore.put(self._store, path, data, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Remove an object, if it is there."""
        try:
            obstore.delete(self._store, path)
        except FileNotFoundError:
            return

    def delete_all(self, paths: Iterable[str]) -> None:
        """Remove objects, those that are there; from a bucket by a few requests."""
        known = list(paths)
        try:
            obstore.delete(self._store, known)
        except FileNotFoundError:  # another process has removed one of them
            for path in known:
                self.delete(path)

    def delete_unfinished(self, prefix: str, now: datetime | None = None, older_than: timedelta | None = None) -> None:
        """Remove what processes that were killed while they wrote have left in a folder; `list` does not show it.

        With an age, only what nobody has written to for so long.
        """
        if self._folder is not None:
            for path in (self._folder / prefix).rglob("*#*"):  # obstore writes x#1, then renames it
                with suppress(FileNotFoundError):  # it has its name by now
                    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    if now is None or older_than is None or age(written, now) > older_than:
                        path.unlink()

    def read(self, path: str) -> bytes | None:
        """Read an object; None when there is none."""
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            return None

    def parse(self, path: str, kind: type[M]) -> M | None:
        """Read an object of JSON; None when there is none. Raises DamagedError when it means something else."""
        data = self.read(path)
        try:
            return None if data is None else kind.model_validate_json(data)
        except ValidationError as error:
            raise DamagedError(f"{path} cannot be read: {error.errors()[0]['msg']}") from error

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Read a part of an object. Raises DamagedError when it is gone."""
        try:
            return bytes(obstore.get_range(self._store, path, start=start, length=length))
        except FileNotFoundError as error:
            raise DamagedError(f"{path} is gone") from error

    async def stream(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1, at most about a megabyte at a time. Raises DamagedError when it is gone."""
        try:
            found = await obstore.get_async(self._store, path, options={"range": (start, stop)})
        except FileNotFoundError as error:
            raise DamagedError(f"{path} is gone") from error
        async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)

    def list(self, prefix: str) -> Iterator[Listed]:
        """List the objects below a path."""
        for page in obstore.list(self._store, prefix):
            for meta in page:
                yield Listed(meta["path"], meta["last_modified"], meta["size"])

    def check_writable(self) -> None:
        """Write and remove a small object; raises what the store raises."""
        if self._folder is not None and not self._folder.is_dir():
            raise FileNotFoundError(f"{self._folder} is gone")  # and would be made anew, empty
        probe = f"probe/{uuid4().hex}"
        self.put(probe, b"ok")
        self.delete(probe)

    def free_bytes(self) -> int | None:
        """Tell how much may still be written; None where there is no end, in a bucket."""
        return None if self._folder is None else shutil.disk_usage(self._folder).free

    def sync(self, path: str) -> None:
        """Force an object or a folder with all that is in it to the disk. A bucket does so by itself."""
        if self._folder is not None:
            place = self._folder / path
            below = place.rglob("*") if place.is_dir() else ()
            above = takewhile(lambda folder: folder != self._folder, place.parents)
            list(self._syncing.map(_sync, (*below, place, *above)))


def _sync(path: Path) -> None:
    # obstore renames whole files into place but leaves it to the kernel when they reach the disk.
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
