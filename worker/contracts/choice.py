"""The choice of a job: which candidates it keeps, decided in the order of their indices.

The choice is a pure function of the job's specification and the candidates. So every process that reads the shards
computes the same one, whatever the number of workers, shards and attempts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from worker.contracts.class_cycle import class_cycle
from worker.contracts.jobs import JobSpec
from worker.contracts.near_hashes import NearHashes
from worker.contracts.pieces import Piece
from worker.contracts.store.archive_index import ArchivePart, ShardIndex


class Choice:
    """Takes the candidates of a job one after the other, and decides which ones the job keeps.

    A candidate of a class that is complete is not tried: it counts neither as kept nor as rejected.
    One thread takes candidates. Others may read the figures meanwhile: a complete choice has its last figures.
    """

    def __init__(self, spec: JobSpec) -> None:
        self.quotas = spec.quotas()
        """Number of images of each class. An unconditional model counts as one class."""
        self.kept = [0] * len(self.quotas)
        """Number of kept candidates of each class."""
        self.tried = [0] * len(self.quotas)
        """Number of candidates of each class that were tried."""
        self.ends = [spec.first] * len(self.quotas)
        """Index after the last kept candidate of each class."""
        self._cycle = class_cycle(spec.class_shares or (1,))
        self._missing = spec.n
        self._excluded = frozenset(spec.selection.excluded if spec.selection else ())
        distinct = spec.selection.distinct if spec.selection else None
        self._kept_hashes = None if distinct is None else NearHashes(distinct)

    @property
    def is_complete(self) -> bool:
        """Whether all images of the job are kept."""
        return self._missing == 0

    @property
    def next_index(self) -> int:
        """Index after the last kept candidate."""
        return max(self.ends)

    @property
    def hash_count(self) -> int:
        """Number of hashes that the choice compares candidates with. Each takes about 350 bytes of memory."""
        hashes = self._kept_hashes  # read once, because another thread may complete the choice
        return 0 if hashes is None else len(hashes)

    def take(self, index: int, image_hash: int | None, *, is_accepted: bool) -> bool:
        """Take the next candidate, and return whether the job keeps it.

        `is_accepted` is the result of the rules that look at one image alone: the gate, and copies.
        """
        label = self._cycle[index % len(self._cycle)]
        if self.kept[label] == self.quotas[label]:
            return False
        self.tried[label] += 1
        if not is_accepted or self._is_near_a_kept_image(image_hash):
            return False
        if index in self._excluded:  # only now, because images near to an excluded one are not wanted either
            return False
        self.ends[label] = index + 1
        self.kept[label] += 1
        self._missing -= 1  # last, because it makes the choice complete for other threads
        if self.is_complete:
            self._kept_hashes = None  # no candidate is tried any more, and the hashes take memory
        return True

    def _is_near_a_kept_image(self, image_hash: int | None) -> bool:
        if self._kept_hashes is None or image_hash is None:
            return False
        if self._kept_hashes.has_near(image_hash):
            return True
        self._kept_hashes.add(image_hash)
        return False


@dataclass(frozen=True)
class ChosenShard:
    """The shard of one piece, and the rows of its image table that belong to the archive."""

    piece: Piece
    index: ShardIndex
    rows: tuple[range, ...]
    """Ranges of rows in ascending order. No two of them are adjacent."""

    @property
    def first(self) -> int:
        """Index of the first candidate."""
        return self.piece.indices.start

    @property
    def is_whole(self) -> bool:
        """Whether all images of the data object belong to the archive."""
        return self.count == len(self.index.images.sizes)

    @property
    def count(self) -> int:
        """Number of images."""
        return sum(map(len, self.rows))

    def images(self) -> Iterator[tuple[int, int]]:
        """Yield the index and the row of each image."""
        candidates = self.index.candidates
        for row in (row for rows in self.rows for row in rows):
            yield self.first + (row if candidates is None else candidates.stored[row]), row

    def score(self, row: int) -> int | None:
        """Return the score of the image in a row; None without a quality gate."""
        candidates = self.index.candidates
        return candidates.scores[candidates.stored[row]] if candidates and candidates.scores else None

    def row_of(self, index: int) -> int | None:
        """Return the row of a chosen image; None if the archive does not have it."""
        position = index - self.first
        row = position if self.index.candidates is None else self.index.candidates.row_of(position)
        return row if row is not None and any(row in rows for rows in self.rows) else None

    def parts(self) -> list[ArchivePart]:
        """Return the ranges of the data object that belong to the archive, if the layout lets it be divided."""
        table, path = self.index.images, self.index.data
        has_all = self.index.candidates is None and self.count == len(self.piece.indices)
        if has_all or (self.is_whole and self.count):
            return [ArchivePart(path=path, size=self.index.size)]
        spans = [(table.start(rows[0]), table.end(rows[-1])) for rows in self.rows]
        return [ArchivePart(path=path, start=start, size=end - start) for start, end in spans]


def choose(choice: Choice, piece: Piece, shard: ShardIndex) -> ChosenShard:
    """Return the chosen images of a piece. The choice must have taken all pieces before."""
    kept = (
        each.row
        for each in outcomes(piece.indices, shard)
        if choice.take(each.index, each.image_hash, is_accepted=each.row is not None) and each.row is not None
    )
    return ChosenShard(piece, shard, tuple(_join(kept)))


def whole_shard(piece: Piece, shard: ShardIndex) -> ChosenShard:
    """Return a piece of a dataset without a selection, which keeps all images."""
    return ChosenShard(piece, shard, (range(len(piece.indices)),))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the rules that look at one candidate alone."""

    index: int
    row: int | None
    """Row of the image in the shard's table; None if the candidate was rejected."""
    image_hash: int | None


def outcomes(indices: range, shard: ShardIndex) -> Iterator[Outcome]:
    """Yield the outcome of each candidate of a shard, in order. A shard of a job without a selection accepts all."""
    hashes, candidates = shard.images.hashes, shard.candidates
    rows = {position: row for row, position in enumerate(candidates.stored)} if candidates else {}
    for position, index in enumerate(indices[: candidates.count] if candidates else indices):
        row = rows.get(position) if candidates else position
        yield Outcome(index, row, int(hashes[row], 16) if row is not None and hashes else None)


def _join(rows: Iterable[int]) -> Iterator[range]:
    """Join ascending rows to ranges."""
    joined = range(0)
    for row in rows:
        if joined and joined.stop != row:
            yield joined
            joined = range(0)
        joined = range(joined.start if joined else row, row + 1)
    if joined:
        yield joined
