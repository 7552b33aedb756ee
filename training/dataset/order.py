"""The order of images. Every epoch is a pure function of the seed and the epoch's number."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Order(Protocol):
    """The order of the images in each epoch."""

    def epoch(self, number: int) -> Indices:
        """Return an epoch's order. Shapes: returns (images,), indices into the dataset."""


class Shuffled:
    """Every image once per epoch."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed

    def epoch(self, number: int) -> Indices:
        """Return an epoch's order. Shapes: returns (count,)."""
        return _random(0, number, self._seed).permutation(self._count)


class Balanced:
    """Classes in proportion to count ** (1 - balance): 1 shows every class equally often, and 0 in its natural
    proportion.

    The images of a class are shown in shuffled rounds that continue from one epoch to the next. So no image repeats
    before all images of its class were shown. Source: temperature sampling, e.g. Arivazhagan et al. 2019, section 3.2.
    """

    def __init__(self, labels: Indices, balance: float, draws: int, seed: int) -> None:
        counts = np.bincount(labels)
        self._members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
        self._quotas = quotas(counts, balance, draws)
        self._seed = seed

    def epoch(self, number: int) -> Indices:
        """Return an epoch's order. Shapes: returns (draws,)."""
        dealt = np.concatenate([self._draw_class(label, number) for label in range(len(self._members))])
        return _random(0, number, self._seed).permutation(dealt)

    def _draw_class(self, label: int, number: int) -> Indices:
        members, quota = self._members[label], int(self._quotas[label])
        first_round, skipped = divmod(number * quota, len(members))
        rounds = range(first_round, first_round - (-(skipped + quota) // len(members)))
        shuffled = [_random(label + 1, k, self._seed).permutation(members) for k in rounds]
        return np.concatenate(shuffled)[skipped : skipped + quota]


def quotas(counts: Indices, balance: float, draws: int) -> Indices:
    """Divide an epoch's draws among the classes: at least one each, the rest by largest remainder.

    Shapes: counts (classes,), all positive; returns (classes,) with the sum `draws`, which is at least `classes`.
    """
    # balance 1 gives equal weights, balance 0 the natural ones.
    weights = counts.astype(np.float64) ** (1 - balance)
    above_one = (weights / weights.sum() * draws - 1).clip(min=0)
    wanted = above_one * ((draws - len(counts)) / max(above_one.sum(), 1e-9))
    shares: Indices = 1 + np.floor(wanted).astype(np.int64)
    shares[np.argsort(shares - wanted, kind="stable")[: draws - int(shares.sum())]] += 1
    return shares


def _random(stream: int, number: int, seed: int) -> np.random.Generator:
    # The seed comes last: it alone may take more than one of the words that these are hashed as.
    return np.random.default_rng((stream, number, seed))
