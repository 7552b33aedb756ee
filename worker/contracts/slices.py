"""The slices of an archive: data objects of shards, or ranges of them, or images that are laid out again.

A data object of some layouts cannot be divided: its images are one file of the archive. If the archive has only some of
them, or the images of several objects in one file, they are laid out again when the job ends.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Piece


@dataclass(frozen=True)
class Slice:
    """The chosen images of one shard of the dataset, or of one piece of it."""

    pieces: tuple[ChosenShard, ...]
    is_stored: bool
    """Whether the slice consists of ranges of data objects. Otherwise its images are laid out again."""

    @property
    def shard(self) -> int:
        """Number of the shard in the dataset."""
        return self.pieces[0].piece.shard


def slices(spec: JobSpec, shards: Iterable[ChosenShard]) -> Iterator[Slice]:
    """Yield the slices of an archive in order. A shard without images has none if its data object is one file."""
    if spec.is_divisible:
        yield from (Slice((shard,), is_stored=True) for shard in shards)
        return
    filled = (shard for shard in shards if shard.count)
    for _, group in groupby(filled, key=lambda shard: shard.piece.shard):
        pieces = tuple(group)
        yield Slice(pieces, is_stored=len(pieces) == 1 and pieces[0].is_whole)


def is_certainly_stored(spec: JobSpec, shard: ChosenShard, next_piece: Piece | None) -> bool:
    """Return whether a piece is a slice of its own, or has no images, whatever the pieces after it are.

    The pieces before it must be such slices, too.
    """
    shares_its_file = next_piece is not None and next_piece.shard == shard.piece.shard
    return spec.is_divisible or (shard.is_whole and not shares_its_file)
