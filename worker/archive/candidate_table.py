"""The table of a shard's candidates: their scores, and the reasons of rejections."""

from collections.abc import Sequence

from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import Candidates
from worker.rendering.candidate import Candidate


def candidate_table(spec: JobSpec, candidates: Sequence[Candidate]) -> Candidates | None:
    """Return the table of a shard's candidates, which begin with its first one; None for a job without a selection."""
    if spec.selection is None:
        return None
    verdicts = [candidate.verdict for candidate in candidates]
    return Candidates(
        count=len(candidates),
        stored=tuple(position for position, candidate in enumerate(candidates) if candidate.image is not None),
        scores=tuple(verdict.score for verdict in verdicts if verdict.score is not None),
        copies=tuple(position for position, verdict in enumerate(verdicts) if verdict.is_copy),
    )
