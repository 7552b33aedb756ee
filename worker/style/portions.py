"""Portions of a range of images, small enough for a device's memory."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import torch

from models.device_memory import is_out_of_memory
from worker.contracts.logs import fields

T = TypeVar("T")
OnHalved = Callable[[], None]
"""Called after every halving of the portions."""

log = logging.getLogger(__name__)


class MapFunction(Protocol):
    """The signature of the builtin `map`, and of an executor's `map`."""

    def __call__(self, function: Callable[[range], T], portions: Iterable[range], /) -> Iterable[T]:
        """Call the function for each portion."""


class Portions:
    """Splits ranges into portions. When the device runs out of memory, all later portions are half as large."""

    def __init__(self, size: int, on_halved: OnHalved = lambda: None) -> None:
        self._size = size
        self._on_halved = on_halved

    def map(self, function: Callable[[range], T], items: range, map_portions: MapFunction = map) -> Sequence[T]:
        """Call a function for each portion of a range, and return the results in order.

        Raises torch.OutOfMemoryError if even a single item does not fit.
        """
        while True:
            size = self._size
            try:
                # list: an executor's map is lazy, and an exception must be raised inside this `try`.
                return list(map_portions(function, [items[k : k + size] for k in range(0, len(items), size)]))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise torch.OutOfMemoryError(str(error)) from error
            self._size = min(self._size, size // 2)  # another thread may have halved it in the meantime
            log.warning("out of device memory, portions were halved", extra=fields(images=self._size))
            self._on_halved()
            torch.cuda.empty_cache()
