"""Follows the choices of jobs while this worker renders them, so that it stops when a job has all its images.

This worker's own candidates count at once, before they are committed. The candidates of other workers are read from the
store. A candidate always has the same outcome, so it does not matter which attempt has rendered it. The candidates of
a forgotten job are read from the store again.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from worker.contracts.choice import Choice, Outcome, outcomes
from worker.contracts.jobs import JobSpec
from worker.contracts.recent_choices import RecentChoices
from worker.contracts.store.shard_store import ShardStore
from worker.rendering.candidate import Candidate

_POLL_SECONDS = 0.05
"""Shortest time between two searches for shards of other workers."""
_READ_SECONDS = 0.1
"""Time after which a search ends. The next one continues it, so that a long job does not delay a lease."""


@dataclass
class _TrackedJob:
    choice: Choice
    next_index: int
    """Index of the first candidate that the choice has not taken."""
    waiting: dict[int, Outcome] = field(default_factory=dict)
    """Candidates after a gap, by index."""
    next_poll: float = 0.0

    @property
    def items(self) -> int:
        """Number of hashes and candidates in memory."""
        return self.choice.hash_count + len(self.waiting)

    def add(self, found: Iterable[Outcome]) -> None:
        """Add candidates, then take the next ones up to a gap."""
        self.waiting.update((outcome.index, outcome) for outcome in found if outcome.index >= self.next_index)
        while not self.choice.is_complete and (outcome := self.waiting.pop(self.next_index, None)) is not None:
            self.choice.take(outcome.index, outcome.image_hash, is_accepted=outcome.row is not None)
            self.next_index += 1
        if self.choice.is_complete:
            self.waiting.clear()


class ChoiceTracker:
    """Knows where jobs with a selection end. Use it in one thread."""

    def __init__(self, shards: ShardStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._shards = shards
        self._clock = clock
        self._recent = RecentChoices[_TrackedJob]()

    def add(self, spec: JobSpec, candidates: Iterable[Candidate]) -> None:
        """Add candidates that this worker has rendered."""
        if spec.selection is not None:
            self._job(spec).add(_outcome(row, candidate) for row, candidate in enumerate(candidates))

    def find_end(self, spec: JobSpec, shard: int) -> int | None:
        """Return the index after the last image of a job; None while it is unknown.

        Candidates of the shards before `shard` are read from the store, unless this worker has rendered them.
        Raises StoreError or DamagedError.
        """
        if spec.selection is None:
            return None
        job = self._job(spec)
        if job.next_index < spec.shard_indices(shard).start and self._clock() >= job.next_poll:
            self._read_committed(spec, job)
            job.next_poll = self._clock() + _POLL_SECONDS
        return job.choice.next_index if job.choice.is_complete else None

    def expected_candidates(self, spec: JobSpec, shard: int) -> int:
        """Return how many candidates the job is expected to need after those that are known, up to a shard's end."""
        indices = spec.shard_indices(shard)
        if spec.selection is None or (job := self._job(spec)).next_index < indices.start:
            return len(indices)
        shares, choice = spec.class_shares or (1,), job.choice
        # The class that needs the most candidates decides, and other classes come between its candidates.
        missing = zip(choice.quotas, choice.kept, shares, strict=True)
        rounds = max((quota - kept) / share for quota, kept, share in missing if share)
        return min(len(indices), spec.selection.expected_candidates(math.ceil(rounds * sum(shares))))

    def is_needed(self, spec: JobSpec, shard: int) -> bool:
        """Return whether a shard may hold images of the job.

        A job that needs it no longer is forgotten. If the task comes again, the store decides: what this worker has
        rendered may be lost, or differ from the committed shard of another worker.
        """
        end = self.find_end(spec, shard)
        is_needed = end is None or spec.shard_indices(shard).start < end
        if not is_needed:
            self._recent.forget(spec.id)
        return is_needed

    def _job(self, spec: JobSpec) -> _TrackedJob:
        return self._recent.find_or_add(spec.id, lambda: _TrackedJob(Choice(spec), spec.first))

    def _read_committed(self, spec: JobSpec, job: _TrackedJob) -> None:
        deadline = self._clock() + _READ_SECONDS
        while not job.choice.is_complete and self._clock() < deadline:
            before = job.next_index
            piece = spec.find_piece(before) if before < spec.first + spec.max_candidates else None
            shard = self._shards.index(piece.job_id, piece.shard) if piece else None
            if piece is not None and shard is not None:
                job.add(outcomes(piece.indices, shard))
            if job.next_index == before:
                return


def _outcome(row: int, candidate: Candidate) -> Outcome:
    image = candidate.image
    if image is None:
        return Outcome(candidate.index, None, None)
    return Outcome(candidate.index, row, int(image.hash, 16) if image.hash else None)
