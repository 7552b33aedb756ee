"""The archives of jobs: the lists of their parts, and their tails."""

import zlib
from collections.abc import AsyncIterator

from worker.contracts.choice import ChosenShard
from worker.contracts.store import paths
from worker.contracts.store.archive_index import ArchivePart, ArchivePlan, ShardIndex
from worker.contracts.store.object_store import Objects
from worker.contracts.store.store_errors import DamagedError


class ArchiveStore:
    """Writes and reads archives. An archive consists of the shards' data objects and a tail."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def publish(self, job_id: str, shards: list[ChosenShard], tail: bytes) -> ArchivePlan:
        """Store the archive's tail and the list of its parts. Repeating it changes nothing."""
        path = paths.tail(job_id)
        parts = [part for shard in shards for part in shard.parts()]
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
        begin = 0
        for part in plan.parts:
            # The requested range in the coordinates of this part; empty if the part is outside of it.
            first, last = max(start - begin, 0), min(stop - begin, part.size)
            if first < last:
                async for chunk in self.stream_part(part, first, last):
                    yield chunk
            begin += part.size

    def stream_part(self, part: ArchivePart, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield bytes start to stop - 1 of one part of an archive; by default all of it."""
        return self._objects.stream(part.path, part.start + start, part.start + (part.size if stop is None else stop))

    def sweep(self, job_id: str) -> None:
        """Remove the data objects that interrupted attempts of a job left behind. Call it after the job's end."""
        self._objects.delete_unfinished(paths.job(job_id))
        plan = self.plan(job_id)
        if plan is None:
            return
        # A data object that the plan or an index names must stay. All others are from interrupted attempts.
        kept = {part.path for part in plan.parts}
        for path, *_ in list(self._objects.list(paths.shards(job_id))):
            if path.endswith(".bin") and path not in kept and not self._is_named(path):
                self._objects.delete(path)

    def _is_named(self, data: str) -> bool:
        """Return whether the shard's index names a data object. A damaged index counts as if it did."""
        try:
            index = self._objects.parse(f"{data.split('.')[0]}.json", ShardIndex)
        except DamagedError:
            return True
        return index is not None and index.data == data

    def is_tail_whole(self, plan: ArchivePlan) -> bool:
        """Return whether the tail can be read and has the right checksum."""
        return zlib.crc32(self._objects.read(plan.parts[-1].path) or b"") == plan.tail_crc32
