"""Work in portions that fit into a device's memory."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import torch

T = TypeVar("T")
Halved = Callable[[], None]
"""Is told of every halving."""

log = logging.getLogger(__name__)


class Map(Protocol):
    """What maps a function over portions: the builtin, or that of an executor."""

    def __call__(self, function: Callable[[range], T], portions: Iterable[range], /) -> Iterable[T]:
        """Call the function for each."""


class Portions:
    """Cuts ranges into portions, which are halved for good when the device runs out of memory."""

    def __init__(self, most: int, halved: Halved = lambda: None) -> None:
        self._most = most
        self._halved = halved

    def map(self, work: Callable[[range], T], whole: range, through: Map = map) -> Sequence[T]:
        """Do all of a range, in order. Raises torch.OutOfMemoryError when one item alone is too much."""
        while True:
            size = self._most
            try:
                return list(through(work, [whole[k : k + size] for k in range(0, len(whole), size)]))
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
            self._most = min(self._most, size // 2)  # another thread may have halved it meanwhile
            log.warning("out of memory, portions are halved images=%d", self._most)
            self._halved()
            torch.cuda.empty_cache()
