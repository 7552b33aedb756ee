"""A candidate of a job, and the decision of the rules that look at it alone."""

from dataclasses import dataclass
from typing import NamedTuple

from worker.contracts.selection import Selection
from worker.rendering.encoding import EncodedImage


class Verdict(NamedTuple):
    """The results of the rules that look at one image alone."""

    score: int | None = None
    """Score of the quality gate, from 0 to 1000; None without a gate."""
    is_copy: bool = False
    """Whether the image is a copy of a training image. It is False if the job keeps copies or the score is too low."""

    def is_accepted(self, selection: Selection) -> bool:
        """Return whether a job with this selection may keep the image."""
        return not self.is_copy and (self.score is None or self.score >= selection.least_score)


NO_RULES = Verdict()
"""The verdict on an image of a job without a quality gate. Such a job accepts every image."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate of a job, which its selection has accepted or rejected."""

    index: int
    image: EncodedImage | None
    """The rendered image; None if it was rejected."""
    verdict: Verdict = NO_RULES
