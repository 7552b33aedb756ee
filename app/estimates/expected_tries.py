"""The number of candidates of a job with a selection: expected, and its interval."""

from math import sqrt
from statistics import NormalDist

from app.schemas.estimates import Range
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import BEST_SCORE

_Z = 1.96
"""Quantile of the normal distribution for intervals of 95 %."""
_GATE_ERROR = 0.03
"""Relative error of the share that a gate keeps, because its scores were calibrated on a sample."""


def expected_tries(spec: JobSpec) -> Range | None:
    """Return how many images are tried until n are kept; None for a job without a selection.

    Kept images among tried ones follow the negative binomial distribution. The shares of copies and of close images
    are not known before the job, so only the gate counts.
    """
    if spec.selection is None:
        return None
    keep = spec.selection.keep / BEST_SCORE
    expected = spec.n / keep
    half = _Z * sqrt(spec.n * (1 - keep)) / keep + (_GATE_ERROR * expected if keep < 1 else 0)
    return Range(expected=round(expected), low=max(spec.n, round(expected - half)), high=round(expected + half))


def rendered_candidates(spec: JobSpec) -> float:
    """Return how many candidates workers look at, with the surplus of classes that are complete before the last one."""
    if spec.selection is None:
        return spec.n
    keep, classes = spec.selection.keep / BEST_SCORE, sum(share > 0 for share in spec.class_shares) or 1
    # The slowest class decides. Its excess is the expected maximum of normal variables (Blom 1958).
    slowest = NormalDist().inv_cdf((classes - 0.375) / (classes + 0.25))
    return (spec.n + slowest * sqrt(classes * spec.n * (1 - keep))) / keep
