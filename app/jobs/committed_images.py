"""How many images of a job are stored from its beginning on, without a gap."""

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from worker.contracts.choice import Choice
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.recent_choices import RecentChoices
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError, StoreError


@dataclass
class _Known:
    """The shards of a job that are known to be committed."""

    next_shard: int
    """The first shard that was not committed when it was last looked at."""
    listed: frozenset[int]
    """Committed shards of the first listing: a long job is not asked for each of its shards."""
    items: int = 1
    lock: Lock = field(default_factory=Lock)


class CommittedImages:
    """Counts committed images. A count never falls while the images of a job are kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent = RecentChoices[_Known]()

    def count(self, spec: JobSpec, state: JobState | None, choice: Choice | None) -> int | None:
        """Return how many images of the dataset may be read.

        None if that needs a choice that was not computed, or while the store cannot be used.
        """
        if state is not None and state.outcome == "succeeded":
            return spec.n
        if state is not None and state.outcome == "cancelled":
            return 0
        if spec.selection is not None:
            return None if choice is None else sum(choice.kept)
        try:
            return self.count_unselected(spec)
        except (StoreError, OSError):
            return None  # the state of a job is known all the same

    def count_unselected(self, spec: JobSpec) -> int:
        """Return the number of committed images of a job without a selection, from its first image on."""
        known = self._recent.find_or_add(spec.id, lambda: self._list(spec))
        with known.lock:
            while known.next_shard < spec.shards.stop and self._is_committed(spec, known):
                known.next_shard += 1
        if known.next_shard == spec.first_shard:
            return spec.inherited
        return spec.shard_indices(known.next_shard - 1).stop - spec.first

    def _is_committed(self, spec: JobSpec, known: _Known) -> bool:
        shard = known.next_shard
        return shard in known.listed or self._store.shards.is_committed(spec.id, shard)

    def _list(self, spec: JobSpec) -> _Known:
        with suppress(DamagedError):
            return _Known(spec.first_shard, frozenset(self._store.shards.committed(spec.id)))
        return _Known(spec.first_shard, frozenset())
