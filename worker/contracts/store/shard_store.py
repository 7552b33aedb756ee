"""The shards of jobs: slices of the archives, and the indices of the images in them."""

import re
import zlib
from collections.abc import Sequence
from uuid import uuid4

from worker.contracts.store import paths
from worker.contracts.store.archive_index import Candidates, ImageTable, MemberEntry, ShardIndex
from worker.contracts.store.object_store import Objects
from worker.contracts.store.store_errors import DamagedError, StoreError

_INDEX = re.compile(r"/(\d{5})\.json$")


class ShardStore:
    """Writes and reads shards. The index of a shard is its commit.

    Methods return None for a missing object, and raise DamagedError for one that cannot be parsed.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def committed(self, job_id: str) -> set[int]:
        """Return the numbers of the committed shards."""
        found = (_INDEX.search(listed.path) for listed in self._objects.list(paths.shards(job_id)))
        return {int(match[1]) for match in found if match}

    def commit(
        self,
        job_id: str,
        shard: int,
        data: bytes,
        images: ImageTable,
        member: MemberEntry | None = None,
        candidates: Candidates | None = None,
    ) -> bool:
        """Commit a shard. Returns False if another attempt was first; then the data object of this one is removed.

        After a refusal the index is read, because a data object that it names must never be removed.
        """
        # Each attempt writes an object of its own, so that two attempts never overwrite each other's data.
        path = f"{paths.shards(job_id)}/{shard:05d}.{uuid4().hex}.bin"
        self._objects.put(path, data)
        index = ShardIndex(data=path, size=len(data), images=images, member=member, candidates=candidates)
        if self._objects.create(paths.shard_index(job_id, shard), index.model_dump_json().encode()):
            return True
        first = self.index(job_id, shard)
        if first is None:
            raise StoreError(f"shard {shard} of {job_id} was refused and is not there", "a shard was refused")
        if first.data == path:
            return True
        self._objects.delete(path)
        return False

    def index(self, job_id: str, shard: int) -> ShardIndex | None:
        """Read a shard's index; None while it is not committed."""
        return self._objects.parse(paths.shard_index(job_id, shard), ShardIndex)

    def image(self, shard: ShardIndex, position: int) -> bytes:
        """Read one image. Raises DamagedError if the data object is missing or too short."""
        return self._objects.read_range(shard.data, shard.images.offsets[position], shard.images.sizes[position])

    def images(self, shard: ShardIndex, rows: Sequence[int]) -> list[bytes]:
        """Read images of a shard at once. Raises DamagedError if one is missing or corrupted."""
        table, data = shard.images, memoryview(self._objects.read(shard.data) or b"")
        images = [bytes(data[table.offsets[row] : table.offsets[row] + table.sizes[row]]) for row in rows]
        if any(zlib.crc32(image) != table.crc32s[row] for image, row in zip(images, rows, strict=True)):
            raise DamagedError(f"an image in {shard.data} is missing or has a wrong checksum")
        return images

    def is_committed(self, job_id: str, shard: int) -> bool:
        """Return whether a shard is committed. It is quicker than to read its index."""
        return self._objects.exists(paths.shard_index(job_id, shard))

    def is_whole(self, job_id: str, shard: int) -> bool:
        """Return whether a committed shard can be read and all its checksums are right."""
        try:
            index = self.index(job_id, shard)
        except DamagedError:
            return False
        data = memoryview(self._objects.read(index.data) or b"") if index else b""
        if index is None or len(data) != index.size:
            return False
        places = list(zip(index.images.offsets, index.images.sizes, index.images.crc32s, strict=True))
        if index.member:
            places.append((index.member.offset, index.member.size, index.member.crc32))
        return all(zlib.crc32(data[offset : offset + size]) == crc32 for offset, size, crc32 in places)

    def forget(self, job_id: str, shard: int) -> None:
        """Remove the commit of a shard."""
        self._objects.delete(paths.shard_index(job_id, shard))
