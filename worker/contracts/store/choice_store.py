"""The choices of jobs, computed from their committed shards."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import count
from threading import Lock

from worker.contracts.choice import Choice, ChosenShard, choose, whole_shard
from worker.contracts.jobs import JobSpec
from worker.contracts.recent_choices import RecentChoices
from worker.contracts.store.shard_store import ShardStore


@dataclass
class _Known:
    """The choice over the first shards of a job."""

    choice: Choice
    rows: list[tuple[range, ...]] = field(default_factory=list)
    """The chosen rows of each shard that the choice has taken."""
    ranges: int = 0
    """Number of ranges of rows."""
    lock: Lock = field(default_factory=Lock)

    def add(self, shard: ChosenShard) -> None:
        self.rows.append(shard.rows)
        self.ranges += len(shard.rows)

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
        """Yield the shards of the archive in order, until all images are there or a shard is not committed."""
        missing, numbers = spec.n, count()
        while missing and (shard := self.chosen_shard(spec, next(numbers))) is not None:
            missing -= shard.count
            yield shard

    def current(self, spec: JobSpec) -> tuple[Choice, int]:
        """Return the choice over the committed shards without a gap, and their number. Do not change the choice.

        Shards that an earlier call has read are not read again: a shard that is rendered again has the same images.
        """
        known = self._current(spec)
        return known.choice, len(known.rows)

    def chosen_shard(self, spec: JobSpec, number: int) -> ChosenShard | None:
        """Return one shard and its images in the archive; None while the choice has not taken it."""
        if spec.selection is None:
            index = self._shards.index(spec.id, number)
            return None if index is None else whole_shard(spec, number, index)
        known = self._current(spec)
        shard = self._shards.index(spec.id, number) if number < len(known.rows) else None
        if shard is None:
            return None
        return ChosenShard(number, shard, spec.shard_indices(number).start, known.rows[number])

    def _current(self, spec: JobSpec) -> _Known:
        known = self._recent.find_or_add(spec.id, lambda: _Known(Choice(spec)))
        with known.lock:
            while not known.choice.is_complete and len(known.rows) < spec.shard_count:
                shard = self._shards.index(spec.id, len(known.rows))
                if shard is None:
                    break
                known.add(choose(known.choice, spec, len(known.rows), shard))
        return known

    def is_complete(self, spec: JobSpec, committed: Set[int]) -> bool:
        """Return whether the committed shards hold all images of a job, or no more shards may be rendered."""
        if len(committed) == spec.shard_count:
            return True
        if spec.selection is None or 0 not in committed:
            return False
        choice, shards = self.current(spec)
        # A remembered shard may be gone: damaged shards are deleted, and then rendered again.
        return choice.is_complete and committed >= set(range(shards))
