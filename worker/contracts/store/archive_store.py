"""The archives of jobs: the lists of their parts, and their tails."""

import hashlib
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from worker.contracts.store import paths
from worker.contracts.store.archive_index import ArchiveDigest, ArchivePart, ArchivePlan, ShardIndex
from worker.contracts.store.object_store import Objects
from worker.contracts.store.store_errors import DamagedError

_MOST_SKIPPED_BYTES = 1 << 18
"""Largest gap between two parts that are read at once. To drop so many bytes is faster than another request."""
_READ_BYTES = 1 << 20
"""Bytes that a thread reads at once."""


class ArchiveStore:
    """Writes and reads archives. An archive consists of the shards' data objects and a tail."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put_merged(self, job_id: str, shard: int, data: bytes) -> ArchivePart:
        """Store a slice of an archive that was laid out again. Its path names its bytes, so attempts do not collide."""
        crc32 = zlib.crc32(data)
        path = paths.merged(job_id, shard, crc32)
        self._objects.put(path, data)
        return ArchivePart(path=path, size=len(data), crc32=crc32)

    def publish(self, job_id: str, parts: Iterable[ArchivePart], tail: bytes) -> ArchivePlan:
        """Store the archive's tail and the list of its parts. Repeating it changes nothing."""
        path = paths.tail(job_id)
        plan = ArchivePlan(parts=(*parts, ArchivePart(path=path, size=len(tail))), tail_crc32=zlib.crc32(tail))
        # The tail comes before the plan that names it. A reader of the plan then finds every part.
        self._objects.put(path, tail)
        self._objects.put(paths.archive(job_id), plan.model_dump_json().encode())
        return plan

    def plan(self, job_id: str) -> ArchivePlan | None:
        """Read the list of the archive's parts; None if there is none yet."""
        return self._objects.parse(paths.archive(job_id), ArchivePlan)

    async def stream(self, plan: ArchivePlan, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1 of the archive."""
        async for chunk in self.stream_parts(_range_of_parts(plan.parts, start, stop)):
            yield chunk

    async def stream_parts(self, parts: Iterable[ArchivePart]) -> AsyncIterator[bytes]:
        """Yield the bytes of parts of an archive. Parts of one object that are near each other are read at once."""
        for near in _near_parts(parts):
            position = near[0].start
            async for chunk in self._objects.stream(near[0].path, position, _end(near[-1])):
                if wanted := b"".join(_slices(chunk, position, near)):
                    yield wanted
                position += len(chunk)

    def read_parts(self, parts: Iterable[ArchivePart]) -> Iterator[bytes]:
        """Yield the bytes of parts of an archive, at most 1 MiB at a time. It is `stream_parts` for threads."""
        for near in _near_parts(parts):
            for position in range(near[0].start, _end(near[-1]), _READ_BYTES):
                length = min(_READ_BYTES, _end(near[-1]) - position)
                if wanted := b"".join(
                    _slices(self._objects.read_range(near[0].path, position, length), position, near)
                ):
                    yield wanted

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Read a range of a data object. Raises DamagedError if the object is missing or too short."""
        return self._objects.read_range(path, start, length)

    def digest(self, job_id: str) -> ArchiveDigest | None:
        """Read the stored checksum of the archive; None if it was not computed yet, or if it is damaged."""
        with suppress(DamagedError):
            return self._objects.parse(paths.digest(job_id), ArchiveDigest)
        return None

    def compute_digest(
        self, job_id: str, plan: ArchivePlan, after_chunk: Callable[[], object] = lambda: None
    ) -> ArchiveDigest:
        """Read the whole archive, and store its checksum, which is removed together with the images.

        `after_chunk` is called after each MiB, and may raise an error to stop. Raises DamagedError if a part of the
        archive is missing or too short.
        """
        digest = self._digest_of(plan, after_chunk)
        if self.plan(job_id) is not None:  # the images may have been removed meanwhile
            self._objects.put(paths.digest(job_id), digest.model_dump_json().encode())
        return digest

    def fits_digest(self, job_id: str, plan: ArchivePlan) -> bool:
        """Return whether the archive has its stored checksum, if there is one.

        Raises DamagedError if a part of the archive is missing or too short.
        """
        known = self.digest(job_id)
        return known is None or known == self._digest_of(plan)

    def _digest_of(self, plan: ArchivePlan, after_chunk: Callable[[], object] = lambda: None) -> ArchiveDigest:
        computed = hashlib.sha256()
        for chunk in self.read_parts(plan.parts):
            computed.update(chunk)
            after_chunk()
        return ArchiveDigest(size=plan.size, sha256=computed.hexdigest())

    def sweep(self, job_id: str) -> None:
        """Remove the data objects that interrupted attempts of a job left behind. Call it after the job's end."""
        self._objects.delete_unfinished(paths.job(job_id))
        plan = self.plan(job_id)
        if plan is None:
            return
        # A data object that the plan or an index names must stay. All others are from interrupted attempts.
        kept = {part.path for part in plan.parts}
        found = [*self._objects.list(paths.shards(job_id)), *self._objects.list(paths.merged_slices(job_id))]
        for path, *_ in found:
            if path.endswith(".bin") and path not in kept and not self._is_named(path):
                self._objects.delete(path)

    def _is_named(self, data: str) -> bool:
        """Return whether the shard's index names a data object. A damaged index counts as if it did."""
        # A slice that was laid out again has no index beside it.
        try:
            index = self._objects.parse(f"{data.split('.')[0]}.json", ShardIndex)
        except DamagedError:
            return True
        return index is not None and index.data == data

    def is_end_whole(self, plan: ArchivePlan) -> bool:
        """Return whether the objects that the end of the job has written can be read and have the right checksums.

        They are the tail, and the slices that were laid out again.
        """
        written = [(part.path, part.crc32) for part in plan.parts[:-1] if part.crc32 is not None]
        written.append((plan.parts[-1].path, plan.tail_crc32))
        return all(zlib.crc32(self._objects.read(path) or b"") == crc32 for path, crc32 in written)


def _range_of_parts(parts: Iterable[ArchivePart], start: int, stop: int) -> Iterator[ArchivePart]:
    """Yield the parts, or the ends of parts, that hold bytes start to stop - 1 of an archive."""
    begin = 0
    for part in parts:
        # The requested range in the coordinates of this part; empty if the part is outside of it.
        first, last = max(start - begin, 0), min(stop - begin, part.size)
        if first < last:
            yield ArchivePart(path=part.path, start=part.start + first, size=last - first)
        begin += part.size


def _near_parts(parts: Iterable[ArchivePart]) -> Iterator[list[ArchivePart]]:
    """Group consecutive parts of one object that lie near each other, in ascending order."""
    near = list[ArchivePart]()
    for part in parts:
        gap = part.start - _end(near[-1]) if near else 0
        if near and (part.path != near[0].path or not 0 <= gap <= _MOST_SKIPPED_BYTES):
            yield near
            near = []
        near.append(part)
    if near:
        yield near


def _slices(chunk: bytes, position: int, parts: Sequence[ArchivePart]) -> Iterator[bytes]:
    """Yield the bytes of a chunk that belong to the parts. The chunk begins at a position of their object."""
    begin = bisect_right(parts, position, key=_end)
    for part in parts[begin : bisect_left(parts, position + len(chunk), begin, key=_start)]:
        yield chunk[max(part.start - position, 0) : _end(part) - position]


def _start(part: ArchivePart) -> int:
    return part.start


def _end(part: ArchivePart) -> int:
    return part.start + part.size
