"""The store: where every byte of a job lies, and the only code that reads or writes it."""

import os
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.exceptions import BaseError as StoreError
from obstore.store import LocalStore, from_url
from pydantic import BaseModel, ConfigDict, ValidationError

from worker.contracts.catalog import Sha256
from worker.contracts.jobs import JobSpec, JobState

_CHUNK_BYTES = 1 << 20
_OPEN = "open"
_INDEX = re.compile(r"/(\d{5})\.json$")

__all__ = [
    "ArchivePart",
    "ArchivePlan",
    "ArrayEntry",
    "Artifacts",
    "DamagedError",
    "ImageEntry",
    "ShardIndex",
    "StoreError",
]

M = TypeVar("M", bound=BaseModel)


class DamagedError(Exception):
    """An object in the store is not what was written there."""


class ImageEntry(BaseModel):
    """Where one image lies inside its shard's data object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    name: str
    """Path inside the archive, of the image or of the array that it is in."""
    label: str | None
    offset: int
    size: int
    crc32: int
    sha256: Sha256


class ArrayEntry(BaseModel):
    """Where the array that holds all images of a shard lies inside its data object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    offset: int
    size: int
    crc32: int


class ShardIndex(BaseModel):
    """The commit of one shard: the first index written wins, and names the data object that counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    """Path of the data object: a slice of the final archive, each image as a local file header and its PNG."""
    size: int
    images: tuple[ImageEntry, ...]
    array: ArrayEntry | None = None


class ArchivePart(BaseModel):
    """One object of a finished archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size: int


class ArchivePlan(BaseModel):
    """The objects that, one after the other, are the ZIP file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[ArchivePart, ...]

    @property
    def size(self) -> int:
        """Length of the archive in bytes."""
        return sum(part.size for part in self.parts)


class Artifacts:
    """An object store with one layout.

    open/<id>                           marks a job without a terminal state
    jobs/<id>/spec.json                 JobSpec, written once, before the job is queued
    jobs/<id>/shards/<k>.<attempt>.bin  a slice of the archive
    jobs/<id>/shards/<k>.json           ShardIndex, the commit of shard k
    jobs/<id>/tail.bin                  the archive's metadata, dataset card and central directory
    jobs/<id>/archive.json              ArchivePlan
    jobs/<id>/state.json                JobState, the first one written decides

    A missing object is None here; one that cannot be parsed raises DamagedError. What is written is on disk when the
    call returns.
    """

    def __init__(self, url: str) -> None:
        self._folder = None if "://" in url else Path(url).resolve()
        self._store = from_url(url) if self._folder is None else LocalStore(self._folder, mkdir=True)
        if self._folder is not None:
            for name in (_OPEN, "jobs"):
                (self._folder / name).mkdir(exist_ok=True)
            _sync(self._folder)

    # jobs

    def create_job(self, spec: JobSpec) -> bool:
        """Record an accepted job, durably; the marker comes first, so that no spec is ever without one.

        False when a job of this id is there already.
        """
        self._put(f"{_OPEN}/{spec.id}", b"")
        return self._create(_spec_path(spec.id), spec.model_dump_json().encode())

    def discard_job(self, job_id: str) -> None:
        """Take back a job that could not be queued."""
        self._delete(_spec_path(job_id))
        self.close_job(job_id)

    def remove_job(self, job_id: str) -> None:
        """Remove all that is stored of a job."""
        self.close_job(job_id)
        for path, _, _ in list(self._list(f"jobs/{job_id}")):
            self._delete(path)

    def close_job(self, job_id: str) -> None:
        """Remove the marker of a job that has ended."""
        self._delete(f"{_OPEN}/{job_id}")

    def open_jobs(self) -> Iterator[tuple[str, datetime]]:
        """List the jobs that may not have ended, and since when they are there."""
        for path, _, modified in self._list(_OPEN):
            yield path.removeprefix(f"{_OPEN}/"), modified

    def spec(self, job_id: str) -> JobSpec | None:
        """Read the accepted request."""
        return self._read(_spec_path(job_id), JobSpec)

    def state(self, job_id: str) -> JobState | None:
        """Read how the job ended; None while it has not."""
        return self._read(_state_path(job_id), JobState)

    def finish(self, job_id: str, state: JobState) -> bool:
        """Decide how the job ended. False when that was decided before."""
        won = self._create(_state_path(job_id), state.model_dump_json().encode())
        self.close_job(job_id)
        return won

    # shards

    def committed(self, job_id: str) -> set[int]:
        """List the shards that are committed."""
        found = (_INDEX.search(path) for path, _, _ in self._list(_shards_path(job_id)))
        return {int(match[1]) for match in found if match}

    def commit_shard(
        self, job_id: str, shard: int, data: bytes, images: tuple[ImageEntry, ...], array: ArrayEntry | None = None
    ) -> bool:
        """Publish a shard. False when another attempt was first; then nothing of this one stays."""
        path = f"{_shards_path(job_id)}/{shard:05d}.{uuid4().hex}.bin"
        self._put(path, data)
        index = ShardIndex(data=path, size=len(data), images=images, array=array)
        if self._create(_index_path(job_id, shard), index.model_dump_json().encode()):
            return True
        self._delete(path)
        return False

    def shard(self, job_id: str, shard: int) -> ShardIndex | None:
        """Read a shard's index; None while it is not committed."""
        return self._read(_index_path(job_id, shard), ShardIndex)

    def image(self, shard: ShardIndex, entry: ImageEntry) -> bytes:
        """Read one image."""
        try:
            return bytes(obstore.get_range(self._store, shard.data, start=entry.offset, length=entry.size))
        except FileNotFoundError as error:
            raise DamagedError(f"{shard.data} is gone") from error

    def sweep(self, job_id: str, plan: ArchivePlan) -> None:
        """Remove what broken attempts left behind."""
        kept = {part.path for part in plan.parts}
        for path, _, _ in list(self._list(_shards_path(job_id))):
            if path.endswith(".bin") and path not in kept:
                self._delete(path)

    # archive

    def publish_archive(self, job_id: str, shards: list[ShardIndex], tail: bytes) -> ArchivePlan:
        """Store the archive's end and the list of its parts. Repeating it changes nothing."""
        path = f"jobs/{job_id}/tail.bin"
        parts = [ArchivePart(path=shard.data, size=shard.size) for shard in shards]
        plan = ArchivePlan(parts=(*parts, ArchivePart(path=path, size=len(tail))))
        self._put(path, tail)
        self._put(_archive_path(job_id), plan.model_dump_json().encode())
        return plan

    def archive(self, job_id: str) -> ArchivePlan | None:
        """Read the list of the archive's parts."""
        return self._read(_archive_path(job_id), ArchivePlan)

    async def stream(self, plan: ArchivePlan, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1 of the archive, at most about a megabyte at a time."""
        begin = 0
        for part in plan.parts:
            first, last = max(start - begin, 0), min(stop - begin, part.size)
            if first < last:
                async for chunk in self.stream_object(part.path, first, last):
                    yield chunk
            begin += part.size

    async def stream_object(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1 of one object. Raises DamagedError when it is gone."""
        try:
            found = await obstore.get_async(self._store, path, options={"range": (start, stop)})
        except FileNotFoundError as error:
            raise DamagedError(f"{path} is gone") from error
        async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)

    def check_writable(self) -> None:
        """Write and remove a small object; raises what the store raises."""
        probe = f"probe/{uuid4().hex}"
        obstore.put(self._store, probe, b"ok")
        self._delete(probe)

    # objects

    def _read(self, path: str, kind: type[M]) -> M | None:
        try:
            return kind.model_validate_json(bytes(obstore.get(self._store, path).bytes()))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise DamagedError(f"{path} cannot be read: {error.errors()[0]['msg']}") from error

    def _create(self, path: str, data: bytes) -> bool:
        try:
            self._put(path, data, "create")
        except AlreadyExistsError:
            return False
        return True

    def _put(self, path: str, data: bytes, mode: Literal["create", "overwrite"] = "overwrite") -> None:
        obstore.put(self._store, path, data, mode=mode)
        if self._folder is not None:
            for place in (self._folder / path, *(self._folder / path).parents[:2]):
                _sync(place)

    def _delete(self, path: str) -> None:
        try:
            obstore.delete(self._store, path)
        except FileNotFoundError:
            return

    def _list(self, prefix: str) -> Iterator[tuple[str, int, datetime]]:
        for page in obstore.list(self._store, prefix):
            for meta in page:
                yield meta["path"], meta["size"], meta["last_modified"]


def _sync(path: Path) -> None:
    # obstore renames whole files into place but leaves it to the kernel when they reach the disk.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _spec_path(job_id: str) -> str:
    return f"jobs/{job_id}/spec.json"


def _state_path(job_id: str) -> str:
    return f"jobs/{job_id}/state.json"


def _archive_path(job_id: str) -> str:
    return f"jobs/{job_id}/archive.json"


def _shards_path(job_id: str) -> str:
    return f"jobs/{job_id}/shards"


def _index_path(job_id: str, shard: int) -> str:
    return f"{_shards_path(job_id)}/{shard:05d}.json"
