"""Results of threads in the order of their input, a few at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")


def ordered_results(
    executor: Executor, function: Callable[[A], list[R]], items: Iterable[A], ahead: int, patience_seconds: float
) -> Generator[list[R]]:
    """Call a function for each item in threads, and yield its lists in the order of the items.

    At most `ahead` other items are in progress or finished while the caller has a list, so that memory is bounded.
    An empty list is yielded each time that the next one was not ready for `patience_seconds`.
    When the caller closes the iterator, items that no thread has begun are dropped.
    """
    pending: deque[Future[list[R]]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(function, item))
            if len(pending) > ahead:
                yield from _result(pending.popleft(), patience_seconds)
        while pending:
            yield from _result(pending.popleft(), patience_seconds)
    finally:
        for future in pending:
            future.cancel()


def _result(future: Future[list[R]], patience_seconds: float) -> Iterator[list[R]]:
    while not wait([future], patience_seconds).done:
        yield []
    yield future.result()
