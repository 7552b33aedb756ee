"""The choices of jobs, computed from their committed shards."""

from array import array
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from threading import Lock

from worker.contracts.choice import Choice, ChosenShard, choose, whole_shard
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Piece
from worker.contracts.read_ahead import read_ahead
from worker.contracts.recent_choices import RecentChoices
from worker.contracts.store.shard_store import ShardStore


@dataclass(frozen=True)
class ChosenImages:
    """The images of a dataset whose shards are committed, in the order of their indices."""

    offsets: Sequence[int]
    """Index of each image, counted from the first candidate of the dataset."""
    scores: Sequence[int]
    """Score of each image; empty without a quality gate."""


@dataclass
class _Known:
    """The choice over the first pieces of a dataset."""

    choice: Choice
    pieces: Iterator[Piece]
    """The pieces that the choice has not taken."""
    next_piece: Piece | None = None
    """The first of them, if it has been looked at."""
    rows: list[tuple[range, ...]] = field(default_factory=list)
    """The chosen rows of each piece that the choice has taken."""
    own_shards: set[int] = field(default_factory=set)
    """Numbers of those shards that the job itself has rendered."""
    ranges: int = 0
    """Number of ranges of rows."""
    offsets: "array[int]" = field(default_factory=lambda: array("I"))
    """Index of each chosen image, counted from the first candidate of the dataset."""
    scores: "array[int]" = field(default_factory=lambda: array("H"))
    """Score of each chosen image; empty without a quality gate."""
    lock: Lock = field(default_factory=Lock)

    def add(self, shard: ChosenShard, spec: JobSpec) -> None:
        for index, row in shard.images():
            self.offsets.append(index - spec.first)
            if (score := shard.score(row)) is not None:
                self.scores.append(score)
        self.rows.append(shard.rows)
        self.ranges += len(shard.rows)
        if shard.piece.job_id == spec.id:
            self.own_shards.add(shard.piece.shard)
        self.next_piece = None

    @property
    def items(self) -> int:
        """Number of hashes and ranges in memory."""
        return self.choice.hash_count + self.ranges


class ChoiceStore:
    """Computes choices. All processes compute the same choice of a job, so none is stored."""

    def __init__(self, shards: ShardStore) -> None:
        self._shards = shards
        self._recent = RecentChoices[_Known]()

    def chosen_shards(self, spec: JobSpec) -> Iterator[ChosenShard]:
        """Yield the pieces of the archive in order, until all images are there or a shard is not committed."""
        missing = spec.n
        for shard in read_ahead(lambda piece: self.chosen_shard(spec, piece), spec.pieces()):
            if shard is None:
                return
            yield shard
            missing -= shard.count
            if not missing:
                return

    def current(self, spec: JobSpec) -> Choice:
        """Return the choice over the committed shards without a gap. Do not change it.

        Shards that an earlier call has read are not read again: a shard that is rendered again has the same images.
        """
        return self._current(spec).choice

    def images(self, spec: JobSpec) -> ChosenImages:
        """Return the images of a job with a selection, over the committed shards without a gap."""
        known = self._current(spec)
        with known.lock:
            return ChosenImages(known.offsets[:], known.scores[:])

    def chosen_shard(self, spec: JobSpec, piece: Piece) -> ChosenShard | None:
        """Return one piece and its images in the archive; None while the choice has not taken it."""
        if spec.selection is None:
            index = self._shards.index(piece.job_id, piece.shard)
            return None if index is None else whole_shard(piece, index)
        known = self._current(spec)
        shard = self._shards.index(piece.job_id, piece.shard) if piece.number < len(known.rows) else None
        return None if shard is None else ChosenShard(piece, shard, known.rows[piece.number])

    def _current(self, spec: JobSpec) -> _Known:
        known = self._recent.find_or_add(spec.id, lambda: _Known(Choice(spec), spec.pieces()))
        with known.lock:
            while not known.choice.is_complete:
                known.next_piece = known.next_piece or next(known.pieces, None)
                piece = known.next_piece
                shard = self._shards.index(piece.job_id, piece.shard) if piece else None
                if piece is None or shard is None:
                    break
                known.add(choose(known.choice, piece, shard), spec)
        return known

    def is_complete(self, spec: JobSpec, committed: Set[int]) -> bool:
        """Return whether the committed shards hold all images of a job, or no more shards may be rendered."""
        if len(committed) == len(spec.shards):
            return True
        if spec.selection is None or (spec.first_shard not in committed and not spec.ancestors):
            return False
        known = self._current(spec)
        # A remembered shard may be gone: damaged shards are deleted, and then rendered again.
        return known.choice.is_complete and committed >= known.own_shards
