"""The order of classes in a dataset: a cycle that repeats, so that an image's class is a function of its index."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import gcd

MAX_CYCLE = 1 << 20
"""Largest length of a cycle. Its sort takes 0.15 s and 100 MB of each process, without a break for other threads."""


def reduce_shares(counts: Sequence[int]) -> tuple[int, ...]:
    """Divide the numbers of images per class by their greatest common divisor."""
    divisor = gcd(*counts) or 1
    return tuple(count // divisor for count in counts)


@lru_cache(maxsize=16)
def class_cycle(shares: tuple[int, ...]) -> tuple[int, ...]:
    """Return the classes of one cycle, in which each class occurs as often as its share says.

    The k-th of n images of a class has the rank (2k + 1) / 2n, and images are sorted by rank, equal ranks by class.
    So every beginning of the cycle is near the shares: each class is off by at most half an image, and half an image
    more for each of the other classes.
    """
    # Two different ranks differ by more than a rounding error up to a length of 2**24, and equal ones round equally.
    ranks = [(2 * k + 1) / share for share in shares for k in range(share)]
    classes = [number for number, share in enumerate(shares) for _ in range(share)]
    return tuple(classes[k] for k in sorted(range(len(ranks)), key=ranks.__getitem__))


def class_at(shares: tuple[int, ...], index: int) -> int:
    """Return the class of an image. Index 0 begins the first cycle."""
    cycle = class_cycle(shares)
    return cycle[index % len(cycle)]


def classes_at(shares: tuple[int, ...], indices: Iterable[int]) -> list[int]:
    """Return the classes of images. It looks the cycle up once, so many classes are faster than by `class_at`."""
    cycle = class_cycle(shares)
    return [cycle[index % len(cycle)] for index in indices]


def images_until(shares: tuple[int, ...], counts: Mapping[int, int]) -> int:
    """Return how many images, rounded up to whole cycles, hold at least these numbers of images of some classes."""
    return sum(shares) * max((-(-count // shares[label]) for label, count in counts.items()), default=0)


def class_counts(shares: tuple[int, ...], n: int) -> tuple[int, ...]:
    """Return how many of n images belong to each class, if they begin with a cycle."""
    rounds, rest = divmod(n, sum(shares))
    begun = Counter(class_cycle(shares)[:rest] if rest else ())  # whole rounds need no cycle
    return tuple(rounds * share + begun[number] for number, share in enumerate(shares))
