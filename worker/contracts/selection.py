"""The selection of a job: which of its candidates, the images that workers render for it, the job keeps."""

import math

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from worker.contracts.catalog import Sha256

BEST_SCORE = 1000
"""Scores of a quality gate are per mille: the share of the model's own images of a class that score lower."""
MAX_DISTINCT_BITS = 3
COPY_BITS = 2
"""A candidate whose hash differs from that of a training image in at most this many bits counts as a copy."""
_TRIES_FACTOR, _MORE_TRIES = 4, 1000
"""A job may look at this many times the expected number of candidates, and at this many more."""
MAX_EXCLUDED = 10_000
"""Largest number of excluded candidates. Each read of a job's specification parses all of them."""


def _is_empty(value: object) -> bool:
    return not value  # older programs read the specs of jobs that do not use newer fields


class Selection(BaseModel):
    """The rules by which a job keeps candidates. Each rule rejects some; the class quotas reject the surplus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: Sha256 | None = None
    """Checksum of the file of the quality gate; None if neither scores nor training images are needed."""
    keep: int = Field(default=BEST_SCORE, ge=1, le=BEST_SCORE)
    """Share of the candidates of each class that the gate keeps, in per mille: those with the best scores."""
    drops_copies: bool = False
    """Whether candidates that are copies of training images are rejected."""
    distinct: int | None = Field(default=None, ge=0, le=MAX_DISTINCT_BITS)
    """Reject a candidate whose hash differs from that of a kept image in at most this many bits; None keeps all."""

    excluded: tuple[NonNegativeInt, ...] = Field(default=(), max_length=MAX_EXCLUDED, exclude_if=_is_empty)
    """Indices of candidates that the user has thrown out, in ascending order. No other rule rejects them."""

    @property
    def has_rules(self) -> bool:
        """Whether a rule decides by the images. A selection without rules keeps all candidates but the excluded."""
        return self.gate is not None or self.keep < BEST_SCORE or self.drops_copies or self.distinct is not None

    @property
    def least_score(self) -> int:
        """Lowest score of a kept candidate."""
        return BEST_SCORE - self.keep

    def expected_candidates(self, n: int) -> int:
        """Return how many candidates are expected until n are kept."""
        return math.ceil(n * BEST_SCORE / self.keep)

    def max_candidates(self, n: int) -> int:
        """Return how many candidates a job of n images may look at."""
        return _TRIES_FACTOR * self.expected_candidates(n) + _MORE_TRIES
