"""Finds and reads images of jobs by their indices: many at once, from few objects."""

import zlib
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Piece
from worker.contracts.store.archive_index import ShardIndex
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_MOST_TABLES = 128
"""Number of shards whose places are remembered. A shard of 4000 images takes 80 kB."""
_MOST_GAP_BYTES = 1 << 16
"""Largest gap between two images that are read at once."""


@dataclass(frozen=True, slots=True)
class _Places:
    """The places of a shard's images in its data object. It takes a tenth of the memory of a ShardIndex."""

    data: str
    offsets: "array[int]"
    sizes: "array[int]"
    crc32s: "array[int]"
    stored: "array[int] | None"
    """Positions of the candidates in the data object; None if it has all."""

    def row(self, position: int) -> int:
        """Return the row of a candidate. Raises DamagedError if the shard does not have it."""
        row = position if self.stored is None else bisect_left(self.stored, position)
        is_there = row < len(self.offsets) and (self.stored is None or self.stored[row] == position)
        if not is_there:
            raise DamagedError(f"{self.data} has no image at position {position}")
        return row


class ImagePlaces:
    """Reads images of jobs. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: OrderedDict[tuple[str, int], _Places] = OrderedDict()
        self._lock = Lock()

    def read(self, spec: JobSpec, indices: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the number in `indices` and the bytes of each image, in the order of the store.

        The images must be committed, and the job must keep them. Raises DamagedError if one is missing or corrupted.
        """
        numbers = sorted(range(len(indices)), key=indices.__getitem__)
        piece: Piece | None = None
        group = list[tuple[int, int]]()
        for number in numbers:
            index = indices[number]
            if piece is None or index not in piece.indices:
                if piece is not None:
                    yield from self._read_piece(piece, group)
                piece, group = spec.find_piece(index), []
            group.append((number, index - piece.indices.start))
        if piece is not None:
            yield from self._read_piece(piece, group)

    def forget(self, spec: JobSpec) -> None:
        """Forget the places of the images of a job, so that they are read again."""
        job_ids = {spec.id, *(ancestor.job for ancestor in spec.ancestors)}
        with self._lock:
            for key in [key for key in self._recent if key[0] in job_ids]:
                del self._recent[key]

    def _read_piece(self, piece: Piece, group: Sequence[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
        places = self._places(piece)
        rows = [(number, places.row(position)) for number, position in group]
        for near in _near_rows(places, rows):
            first, last = near[0][1], near[-1][1]
            start, stop = places.offsets[first], places.offsets[last] + places.sizes[last]
            chunk = self._store.archives.read_range(places.data, start, stop - start)
            for number, row in near:
                begin = places.offsets[row] - start
                data = chunk[begin : begin + places.sizes[row]]
                if zlib.crc32(data) != places.crc32s[row]:
                    raise DamagedError(f"an image in {places.data} has a wrong checksum")
                yield number, data

    def _places(self, piece: Piece) -> _Places:
        key = (piece.job_id, piece.shard)
        with self._lock:
            found = self._recent.get(key)
            if found is not None:
                self._recent.move_to_end(key)
                return found
        index = self._store.shards.index(*key)
        if index is None:
            raise DamagedError(f"shard {piece.shard} of job {piece.job_id} is missing")
        places = _compact(index)
        with self._lock:
            self._recent[key] = places
            if len(self._recent) > _MOST_TABLES:
                self._recent.popitem(last=False)
        return places


def _compact(index: ShardIndex) -> _Places:
    table, candidates = index.images, index.candidates
    return _Places(
        data=index.data,
        offsets=array("Q", table.offsets),
        sizes=array("I", table.sizes),
        crc32s=array("I", table.crc32s),
        stored=None if candidates is None else array("I", candidates.stored),
    )


def _near_rows(places: _Places, rows: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Group (number, row) in ascending order of rows, so that each group is read at once."""
    near = list[tuple[int, int]]()
    for number, row in rows:
        if near:
            last = near[-1][1]
            gap = places.offsets[row] - places.offsets[last] - places.sizes[last]
            if gap > _MOST_GAP_BYTES:
                yield near
                near = []
        near.append((number, row))
    if near:
        yield near
