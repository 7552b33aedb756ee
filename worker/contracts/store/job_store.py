"""The store: where every byte of a job lies, and the only code that reads or writes it."""

import re
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4

from worker.contracts.jobs import JobSpec, JobState
from worker.contracts.store.archive_index import ArchivePart, ArchivePlan, ArrayEntry, ImageTable, ShardIndex
from worker.contracts.store.object_store import DamagedError, Objects, StoreError
from worker.contracts.styles import StyleEntry

_OPEN = "open"
_DUE = "due"
_JOBS = "jobs"
_STYLES, _OWNED = "styles", "owned"
_LEARNT = "learnt"
PATIENCE_SECONDS = 30.0
"""That a worker waits for a bucket that does not answer."""
_DISCARDED = timedelta(minutes=10)
"""After which no worker is at a job any more that was taken back or cancelled."""
_INDEX = re.compile(r"/(\d{5})\.json$")

__all__ = ["DamagedError", "JobStore", "StoreError"]


class JobStore:
    """An object store with one layout.

    open/<id>                           the JobSpec again: marks a job that has not ended, or may not be on disk yet
    due/<time>.<id>                     notes when the images of a job that has ended may be removed, in Unix seconds
    jobs/<id>/spec.json                 JobSpec, written once, before the job is queued
    jobs/<id>/shards/<k>.<attempt>.bin  a slice of the archive
    jobs/<id>/shards/<k>.json           ShardIndex, the commit of shard k
    jobs/<id>/tail.bin                  the archive's metadata, dataset card and central directory
    jobs/<id>/archive.json              ArchivePlan
    jobs/<id>/state.json                JobState, the first one written decides
    styles/<id>/picture.png             a picture whose style images can take, RGB: the same one for all who bring it
    styles/<id>/style.json              StyleEntry, by which it is there for who asks without a key
    owned/<owner>/<id>.json             StyleEntry, by which it is there for the owner of a key
    learnt/<lesson>/weights.safetensors a generator that has learnt a style
    learnt/<lesson>/state.safetensors   one that learns it still

    A missing object is None here; one that cannot be parsed raises DamagedError.

    Of an accepted job only open/<id> is forced to the disk, before the 202. All else can be made again, and is forced
    there in its own time, before open/<id> goes: what a power cut spoils is found by its checksums and made again.
    """

    def __init__(self, url: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._objects = Objects(url, (_OPEN, _DUE, _JOBS, _STYLES, _OWNED, _LEARNT), patience_seconds)

    # jobs

    def create_job(self, spec: JobSpec) -> tuple[JobSpec, bool]:
        """Write a job down; the marker comes first, so that no spec is ever without one.

        Whoever writes the marker first decides. Returns the job that there is now, and whether it is there since now.
        """
        is_first = self._objects.create(_open_path(spec.id), spec.model_dump_json().encode())
        if not is_first:
            spec = self._marked(spec)
        is_new = self._objects.create(_spec_path(spec.id), spec.model_dump_json().encode())
        found = spec if is_new else self.spec(spec.id)
        if found is None:
            raise StoreError(
                f"job {spec.id} was removed while it was written", "a job was removed while it was written"
            )
        if not is_first and is_new:
            self._marked(found)  # a marker without a request is closed when it is old, perhaps just now
        return found, is_new

    def _marked(self, spec: JobSpec) -> JobSpec:
        """Read a job's marker, or write it again when it is gone or cannot be read: its job was not accepted yet."""
        with suppress(DamagedError):
            if marker := self._objects.parse(_open_path(spec.id), JobSpec):
                return marker
        self._objects.put(_open_path(spec.id), spec.model_dump_json().encode())
        return spec

    def keep_job(self, job_id: str) -> None:
        """Force a job that was written down to the disk: it is not lost any more."""
        self._objects.sync(_open_path(job_id))

    def discard_job(self, job_id: str, now: datetime) -> None:
        """Take back a job that could not be queued; what a worker may have made of it is removed within the hour."""
        self._note(job_id, now + _DISCARDED)
        self._objects.delete(_spec_path(job_id))
        self.close_job(job_id)

    def settle_job(self, spec: JobSpec, state: JobState) -> None:
        """Sweep a job that has ended, force it to the disk, note when it expires, then remove its marker.

        Of a cancelled job, the images go at once, and what a worker still stores goes later.
        """
        if state.outcome == "cancelled":
            self.expire_job(spec.id)
        else:
            self.sweep(spec.id)
        self._note(spec.id, max(state.expires(spec), state.finished + _DISCARDED))
        self._objects.sync(f"{_JOBS}/{spec.id}")
        self.close_job(spec.id)

    def close_job(self, job_id: str) -> None:
        """Remove a job's marker."""
        self._objects.delete(_open_path(job_id))

    def close_orphan(self, job_id: str) -> None:
        """Remove a marker without a request; put it back if the request was written meanwhile."""
        self.close_job(job_id)
        if spec := self.spec(job_id):
            self._marked(spec)

    def open_jobs(self) -> Iterator[tuple[str, datetime]]:
        """List the jobs that may not have ended, and since when they are there."""
        for found in self._objects.list(_OPEN):
            yield found.path.removeprefix(f"{_OPEN}/"), found.modified

    def _note(self, job_id: str, time: datetime) -> None:
        self._objects.put(f"{_DUE}/{int(time.timestamp())}.{job_id}", b"")

    def due_jobs(self, now: datetime) -> Iterator[tuple[str, str]]:
        """List the jobs whose images may be removed, each with the note that says so."""
        for note, *_ in self._objects.list(_DUE):
            time, job_id = note.removeprefix(f"{_DUE}/").split(".", 1)
            if int(time) <= now.timestamp():
                yield job_id, note

    def expire_job(self, job_id: str) -> None:
        """Remove all of a job but its spec and how it ended."""
        self._objects.delete_unfinished(f"{_JOBS}/{job_id}")
        found = [path for path, *_ in self._objects.list(f"{_JOBS}/{job_id}")]
        self._objects.delete_all(path for path in found if path not in (_spec_path(job_id), _state_path(job_id)))

    def sweep_unfinished(self, now: datetime, older_than: timedelta) -> None:
        """Remove what was half written and belongs to no job: those are swept when they end."""
        for folder in (_OPEN, _DUE, _STYLES, _OWNED, _LEARNT):
            self._objects.delete_unfinished(folder, now, older_than)

    def drop_note(self, note: str) -> None:
        """Remove a note of `due_jobs`."""
        self._objects.delete(note)

    def spec(self, job_id: str) -> JobSpec | None:
        """Read the accepted request."""
        return self._objects.parse(_spec_path(job_id), JobSpec)

    def restored_spec(self, job_id: str) -> JobSpec | None:
        """Read the accepted request from its marker, and repair the one that workers read.

        None when the job is settled; raises DamagedError when the marker cannot be read.
        """
        marker = self._objects.parse(_open_path(job_id), JobSpec)
        if marker is None:
            return None
        with suppress(DamagedError):
            if spec := self.spec(job_id):
                return spec
        self._objects.put(_spec_path(job_id), marker.model_dump_json().encode())
        return marker

    def state(self, job_id: str) -> JobState | None:
        """Read how the job ended; None while it has not."""
        return self._objects.parse(_state_path(job_id), JobState)

    def finish(self, job_id: str, state: JobState) -> bool:
        """Decide how the job ended. False when that was decided before."""
        return self._objects.create(_state_path(job_id), state.model_dump_json().encode())

    # shards

    def committed(self, job_id: str) -> set[int]:
        """List the shards that are committed."""
        found = (_INDEX.search(listed.path) for listed in self._objects.list(_shards_path(job_id)))
        return {int(match[1]) for match in found if match}

    def commit_shard(
        self, job_id: str, shard: int, data: bytes, images: ImageTable, array: ArrayEntry | None = None
    ) -> bool:
        """Publish a shard. False when another attempt was first; then nothing of this one stays.

        Data that an index names are never removed: after a refusal, the index is read.
        """
        path = f"{_shards_path(job_id)}/{shard:05d}.{uuid4().hex}.bin"
        self._objects.put(path, data)
        index = ShardIndex(data=path, size=len(data), images=images, array=array)
        if self._objects.create(_index_path(job_id, shard), index.model_dump_json().encode()):
            return True
        first = self.shard(job_id, shard)
        if first is None:
            raise StoreError(f"shard {shard} of {job_id} was refused and is not there", "a shard was refused")
        if first.data == path:
            return True
        self._objects.delete(path)
        return False

    def shard(self, job_id: str, shard: int) -> ShardIndex | None:
        """Read a shard's index; None while it is not committed."""
        return self._objects.parse(_index_path(job_id, shard), ShardIndex)

    def image(self, shard: ShardIndex, position: int) -> bytes:
        """Read one image. Raises DamagedError when its bytes are gone."""
        return self._objects.read_range(shard.data, shard.images.offsets[position], shard.images.sizes[position])

    def stream_shard(self, shard: ShardIndex) -> AsyncIterator[bytes]:
        """Yield a shard's slice of the archive."""
        return self._objects.stream(shard.data, 0, shard.size)

    def is_shard_whole(self, job_id: str, shard: int) -> bool:
        """Tell whether a committed shard can be read and every checksum in it is right."""
        try:
            index = self.shard(job_id, shard)
        except DamagedError:
            return False
        data = memoryview(self._objects.read(index.data) or b"") if index else b""
        if index is None or len(data) != index.size:
            return False
        places = list(zip(index.images.offsets, index.images.sizes, index.images.crc32s, strict=True))
        if index.array:
            places.append((index.array.offset, index.array.size, index.array.crc32))
        return all(zlib.crc32(data[offset : offset + size]) == crc32 for offset, size, crc32 in places)

    def forget_shard(self, job_id: str, shard: int) -> None:
        """Take a shard's commit back."""
        self._objects.delete(_index_path(job_id, shard))

    def sweep(self, job_id: str) -> None:
        """Remove what broken attempts at a job that has ended left behind."""
        self._objects.delete_unfinished(f"{_JOBS}/{job_id}")
        plan = self.archive(job_id)
        if plan is None:
            return
        kept = {part.path for part in plan.parts}
        for path, *_ in list(self._objects.list(_shards_path(job_id))):
            if path.endswith(".bin") and path not in kept and not self._is_named(path):
                self._objects.delete(path)

    def _is_named(self, data: str) -> bool:
        """Tell whether the index of its shard names a data object. A damaged index counts as if it did."""
        try:
            index = self._objects.parse(f"{data.split('.')[0]}.json", ShardIndex)
        except DamagedError:
            return True
        return index is not None and index.data == data

    # archive

    def publish_archive(self, job_id: str, shards: list[ShardIndex], tail: bytes) -> ArchivePlan:
        """Store the archive's end and the list of its parts. Repeating it changes nothing."""
        path = f"{_JOBS}/{job_id}/tail.bin"
        parts = [ArchivePart(path=shard.data, size=shard.size) for shard in shards]
        plan = ArchivePlan(parts=(*parts, ArchivePart(path=path, size=len(tail))), tail_crc32=zlib.crc32(tail))
        self._objects.put(path, tail)
        self._objects.put(_archive_path(job_id), plan.model_dump_json().encode())
        return plan

    def archive(self, job_id: str) -> ArchivePlan | None:
        """Read the list of the archive's parts."""
        return self._objects.parse(_archive_path(job_id), ArchivePlan)

    async def stream(self, plan: ArchivePlan, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1 of the archive."""
        begin = 0
        for part in plan.parts:
            first, last = max(start - begin, 0), min(stop - begin, part.size)
            if first < last:
                async for chunk in self._objects.stream(part.path, first, last):
                    yield chunk
            begin += part.size

    def is_ending_whole(self, job_id: str, shard_count: int) -> bool:
        """Tell whether the archive's plan, its tail and the job's state, if any, can be read and may be there.

        They are read last things first: a worker that ends the job meanwhile writes them in the other order.
        """
        try:
            state = self.state(job_id)
            plan = self.archive(job_id)
        except DamagedError:
            return False
        if plan is None:
            return state is None or state.outcome != "succeeded"
        is_complete = len(self.committed(job_id)) == shard_count
        return is_complete and zlib.crc32(self._objects.read(plan.parts[-1].path) or b"") == plan.tail_crc32

    def forget_ending(self, job_id: str) -> None:
        """Take the end of a job back: it is open again."""
        for path in (_state_path(job_id), _archive_path(job_id)):
            self._objects.delete(path)

    # styles

    def add_style(self, entry: StyleEntry, picture: bytes) -> bool:
        """Keep a picture for its owner. False when it is there for them already."""
        path = _style_path(entry.owner, entry.id)
        self._objects.put(_picture_path(entry.id), picture)
        self._objects.sync(_picture_path(entry.id))
        is_new = self._objects.create(path, entry.model_dump_json().encode())
        self._objects.sync(path)
        return is_new

    def style(self, owner: str, style_id: str) -> StyleEntry | None:
        """Read what is known of a picture of an owner."""
        return self._objects.parse(_style_path(owner, style_id), StyleEntry)

    def styles(self, owner: str) -> Iterator[StyleEntry]:
        """List the pictures of an owner."""
        for path, *_ in self._objects.list(f"{_OWNED}/{owner}" if owner else _STYLES):
            if path.endswith(".json") and (entry := self._objects.parse(path, StyleEntry)):
                yield entry

    def picture(self, style_id: str) -> bytes:
        """Read a picture, as PNG. Raises DamagedError when it is gone."""
        data = self._objects.read(_picture_path(style_id))
        if data is None:
            raise DamagedError(f"the picture of style {style_id} is gone")
        return data

    # what generators have learnt: it can be learnt again, and is removed when there is too much

    def learnt(self, lesson: str) -> bytes | None:
        """Read the weights of a generator that has learnt a style."""
        return self._objects.read(_learnt_path(lesson))

    def half_learnt(self, lesson: str) -> bytes | None:
        """Read the state of a generator that learns a style."""
        return self._objects.read(_half_learnt_path(lesson))

    def keep_learnt(self, lesson: str, weights: bytes, most_bytes: int) -> None:
        """Keep the weights of a generator that has learnt a style, and not more than so many bytes of such."""
        self._objects.put(_learnt_path(lesson), weights)
        self._objects.delete(_half_learnt_path(lesson))
        self._make_room(lesson, most_bytes)

    def keep_half_learnt(self, lesson: str, state: bytes, most_bytes: int) -> None:
        """Keep the state of a generator that learns a style, and not more than so many bytes of such."""
        self._objects.put(_half_learnt_path(lesson), state)
        self._make_room(lesson, most_bytes)

    def _make_room(self, lesson: str, most_bytes: int) -> None:
        """Remove what was written longest ago, but nothing of one lesson."""
        found = sorted(self._objects.list(_LEARNT), key=lambda listed: listed.modified)
        excess = sum(listed.size for listed in found) - most_bytes
        for listed in found:
            if excess > 0 and not listed.path.startswith(f"{_LEARNT}/{lesson}/"):
                self._objects.delete(listed.path)
                excess -= listed.size

    def free_bytes(self) -> int | None:
        """Tell how much room there is; None where nobody knows."""
        return self._objects.free_bytes()

    def check_writable(self) -> None:
        """Write and remove a small object; raises StoreError or OSError."""
        self._objects.check_writable()

    def check_room(self, needed_bytes: int) -> None:
        """Raise StoreError when the store's disk has less room."""
        free = self.free_bytes()
        if free is not None and free < needed_bytes:
            raise StoreError(f"{free} bytes are free, and {needed_bytes} are needed", "No space left on device")

    def check_usable(self) -> None:
        """Do once all that a worker does with the store; raises StoreError or OSError."""
        self._objects.check_usable()


def _picture_path(style_id: str) -> str:
    return f"{_STYLES}/{style_id}/picture.png"


def _style_path(owner: str, style_id: str) -> str:
    return f"{_OWNED}/{owner}/{style_id}.json" if owner else f"{_STYLES}/{style_id}/style.json"


def _learnt_path(lesson: str) -> str:
    return f"{_LEARNT}/{lesson}/weights.safetensors"


def _half_learnt_path(lesson: str) -> str:
    return f"{_LEARNT}/{lesson}/state.safetensors"


def _open_path(job_id: str) -> str:
    return f"{_OPEN}/{job_id}"


def _spec_path(job_id: str) -> str:
    return f"{_JOBS}/{job_id}/spec.json"


def _state_path(job_id: str) -> str:
    return f"{_JOBS}/{job_id}/state.json"


def _archive_path(job_id: str) -> str:
    return f"{_JOBS}/{job_id}/archive.json"


def _shards_path(job_id: str) -> str:
    return f"{_JOBS}/{job_id}/shards"


def _index_path(job_id: str, shard: int) -> str:
    return f"{_shards_path(job_id)}/{shard:05d}.json"
