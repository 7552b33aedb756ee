"""An object store in a folder or a bucket: bytes under paths. A thin layer over obstore."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore
from pydantic import BaseModel, ValidationError

from worker.contracts.store.bucket import open_bucket
from worker.contracts.store.local_folder import LocalFolder
from worker.contracts.store.store_errors import DamagedError, RangeError, StoreError, TransientError, translate_errors

if TYPE_CHECKING:  # obstore defines this name only for type checkers
    from obstore.store import ObjectStore

_CHUNK_BYTES = 1 << 18
_PAGE_OBJECTS = 1000
"""Objects that a bucket lists in one response."""
_PROBES = "probe"
_CREATE_PAUSES = (0.05, 0.2, 0.8)
"""Seconds before the next attempt to create an object that was refused although it is absent."""
_WRITER = "writer"
"""Attribute of an object in a bucket: the id of the call that created it."""

M = TypeVar("M", bound=BaseModel)


class Listed(NamedTuple):
    """One listed object, without its bytes."""

    path: str
    modified: datetime
    size: int


class Objects:
    """An object store. `url` is a folder, or a URL like s3://bucket/prefix.

    Every method raises StoreError if the store cannot be used: with a bucket, after about `patience_seconds`.
    """

    def __init__(self, url: str, folders: Iterable[str], patience_seconds: float) -> None:
        self._folder: LocalFolder | None = None
        """None for a bucket."""
        self._store: ObjectStore
        if "://" in url:
            self._store = open_bucket(url, patience_seconds)
        else:
            path = Path(url).resolve()
            self._store = LocalStore(path, mkdir=True)
            self._folder = LocalFolder(path, folders)
        self._probe = f"{_PROBES}/{uuid4().hex}"
        """One fixed path, so that a failed delete leaves at most one object."""

    def put(self, path: str, data: bytes) -> None:
        """Write an object. An existing one is replaced."""
        with translate_errors():
            obstore.put(self._store, path, data)

    def create(self, path: str, data: bytes) -> bool:
        """Write a new object. Returns False and writes nothing if there is one already."""
        if self._folder is None:
            return self._create_in_bucket(path, data)
        try:
            with translate_errors():
                obstore.put(self._store, path, data, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def _create_in_bucket(self, path: str, data: bytes) -> bool:
        """Write a new object. After a refusal, read back which call wrote it.

        A refusal proves nothing. If the bucket stored the object but its answer was lost, it refuses the repeated
        request because the object exists. And it can answer with a conflict (409) although it has stored no object.
        """
        writer, trouble = uuid4().hex, "it was refused"
        for pause in _CREATE_PAUSES:
            try:
                with translate_errors():
                    obstore.put(self._store, path, data, mode="create", attributes={_WRITER: writer})
            except AlreadyExistsError:
                pass
            except TransientError as error:
                trouble = error.cause
            else:
                return True
            found = self._writer(path)
            if found is not None:
                return found == writer
            time.sleep(pause)
        raise StoreError(f"{path} could not be created: {trouble}", trouble)

    def _writer(self, path: str) -> str | None:
        """Return the id of the call that created an object; empty if it has no id, None if there is no object."""
        try:
            with translate_errors():
                attributes = obstore.get(self._store, path).attributes
        except FileNotFoundError:
            return None
        return str(attributes.get(_WRITER, ""))

    def delete(self, path: str) -> None:
        """Remove an object if it exists."""
        with suppress(FileNotFoundError), translate_errors():
            obstore.delete(self._store, path)

    def delete_all(self, paths: Iterable[str]) -> None:
        """Remove objects that may not exist. A bucket needs only a few requests for all."""
        known = list(paths)
        try:
            with translate_errors():
                obstore.delete(self._store, known)
        except FileNotFoundError:  # another process has removed one of them; others may be left
            for path in known:
                self.delete(path)

    def delete_unfinished(self, prefix: str, now: datetime | None = None, older_than: timedelta | None = None) -> None:
        """Remove temporary files of killed processes from a folder. `list` does not show them.

        With `older_than`, only files that were not written to for so long.
        """
        if self._folder is not None:
            self._folder.delete_unfinished(prefix, now, older_than)

    def read(self, path: str) -> bytes | None:
        """Read an object; None if there is none."""
        try:
            with translate_errors():
                return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            return None

    def exists(self, path: str) -> bool:
        """Return whether there is an object, without its bytes."""
        try:
            with translate_errors():
                obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        return True

    def parse(self, path: str, kind: type[M]) -> M | None:
        """Read and parse a JSON object; None if there is none. Raises DamagedError if it does not fit `kind`."""
        data = self.read(path)
        try:
            return None if data is None else kind.model_validate_json(data)
        except ValidationError as error:
            raise DamagedError(f"{path} cannot be read: {error.errors()[0]['msg']}") from error

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Read a part of an object. Raises DamagedError if the object is missing or too short."""
        with _missing_is_damage(path), translate_errors():
            found = bytes(obstore.get_range(self._store, path, start=start, length=length))
        if len(found) != length:
            raise DamagedError(f"{path} is too short")
        return found

    async def stream(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1, at most about 256 KiB at a time.

        A response that breaks off is resumed, as long as each response contains at least one byte. Raises DamagedError
        if the object is missing or too short.
        """
        position = start
        while position < stop:
            began = position
            try:
                async for chunk in self._stream_once(path, position, stop):
                    position += len(chunk)
                    yield chunk
            except TransientError:
                if position == began:
                    raise
            else:
                if position < stop:
                    raise DamagedError(f"{path} is too short")

    async def _stream_once(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]:
        with _missing_is_damage(path), translate_errors():
            found = await obstore.get_async(self._store, path, options={"range": (start, stop)})
            async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)

    def list(self, prefix: str) -> Iterator[Listed]:
        """List the objects below a path."""
        with translate_errors():
            for page in obstore.list(self._store, prefix):
                for meta in page:
                    yield Listed(meta["path"], meta["last_modified"], meta["size"])

    def list_sorted(self, folder: str, after: str | None) -> Iterator[str]:
        """List the paths in a folder that are greater than `after`, in order, a page at a time.

        Names at one level must have the same length.
        """
        if self._folder is not None:  # obstore reads a whole folder, and does not sort it
            yield from self._folder.list_sorted(folder, after or "")
            return
        with translate_errors():
            for page in obstore.list(self._store, folder, offset=after, chunk_size=_PAGE_OBJECTS):
                for meta in page:
                    yield meta["path"]

    def check_writable(self) -> None:
        """Write and remove a small object; raises StoreError."""
        if self._folder is not None:
            self._folder.check_present()
        self.put(self._probe, b"ok")
        self.delete(self._probe)

    def check_usable(self) -> None:
        """Try each kind of access: create, fail to create again, read, list, remove. Raises StoreError."""
        self.check_writable()  # also removes an object that an earlier check may have left
        try:
            self._check_creation()
        finally:
            with suppress(StoreError, OSError):
                self.delete(self._probe)

    def _check_creation(self) -> None:
        probe = self._probe
        if not self.create(probe, b"ok") or self.create(probe, b"other") or self.read(probe) != b"ok":
            raise StoreError(f"{probe} was replaced", "it replaces objects that were to be created only if absent")
        if probe not in [found.path for found in self.list(_PROBES)]:
            raise StoreError(f"{probe} is not listed", "it does not list what was just written")

    def free_bytes(self) -> int | None:
        """Return the free bytes of the disk; None for a bucket, which has no limit."""
        return None if self._folder is None else self._folder.free_bytes()

    def sync(self, path: str) -> None:
        """Force an object, or a folder with its contents, to the disk. Does nothing for a bucket."""
        if self._folder is not None:
            self._folder.sync(path)


@contextmanager
def _missing_is_damage(path: str) -> Iterator[None]:
    """Raise DamagedError if an object that must exist is missing or too short."""
    try:
        yield
    except FileNotFoundError as error:
        raise DamagedError(f"{path} is gone") from error
    except RangeError as error:
        raise DamagedError(f"{path} is too short") from error
