import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from worker.rendering.ordered_results import ordered_results


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(executor: Executor) -> None:
    results = ordered_results(executor, lambda item: [item, item], range(9), ahead=2, patience_seconds=60)
    assert list(results) == [[item, item] for item in range(9)]


def test_items_are_processed_in_parallel(executor: Executor) -> None:
    both = threading.Barrier(2, timeout=10)

    def process(item: int) -> list[int]:
        both.wait()
        return [item]

    assert len(list(ordered_results(executor, process, range(2), ahead=2, patience_seconds=60))) == 2


def test_no_more_items_are_begun_than_can_soon_be_yielded(executor: Executor) -> None:
    begun = list[int]()

    def process(item: int) -> list[int]:
        begun.append(item)
        return [item]

    next(ordered_results(executor, process, range(100), ahead=2, patience_seconds=60))
    assert len(begun) <= 3


def test_an_empty_list_is_yielded_while_a_result_is_not_ready(executor: Executor) -> None:
    ready = threading.Event()

    def process(item: int) -> list[int]:
        assert ready.wait(10)
        return [item]

    results = ordered_results(executor, process, range(1), ahead=2, patience_seconds=0.01)
    assert next(results) == []
    ready.set()
    assert [result for result in results if result] == [[0]]


def test_an_error_of_a_thread_is_raised(executor: Executor) -> None:
    def process(item: int) -> list[int]:
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        list(ordered_results(executor, process, range(1), ahead=2, patience_seconds=60))


def test_items_that_no_thread_has_begun_are_dropped_when_the_caller_stops(executor: Executor) -> None:
    begun, may_end = list[int](), threading.Event()

    def process(item: int) -> list[int]:
        begun.append(item)
        assert item == 0 or may_end.wait(10)
        return [item]

    results = ordered_results(executor, process, range(100), ahead=9, patience_seconds=60)
    assert next(results) == [0]
    results.close()
    may_end.set()
    executor.shutdown()
    assert len(begun) <= 3  # the first one, and one in each thread
