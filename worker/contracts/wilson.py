"""The Wilson score interval of a share. Source: E. B. Wilson (1927), doi:10.1080/01621459.1927.10502953."""

from math import sqrt

_Z = 1.959963984540054
"""Quantile of the normal distribution for intervals of 95 %."""


def wilson_interval(hits: int, tries: int) -> tuple[float, float]:
    """Return the 95 % interval of a probability after some hits in some tries. Without tries it is (0, 1)."""
    if not tries:
        return 0.0, 1.0
    share, spread = hits / tries, _Z * _Z / tries
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / tries + spread / (4 * tries))
    return max(0.0, middle - half), min(1.0, middle + half)
