from threading import Barrier

import pytest

from worker.contracts.read_ahead import read_ahead


def test_results_come_in_order() -> None:
    assert list(read_ahead(lambda item: item * 2, range(100))) == list(range(0, 200, 2))


def test_calls_after_the_first_are_done_at_once() -> None:
    barrier = Barrier(8)
    assert list(read_ahead(lambda item: item and barrier.wait(10) * 0 + item, range(9))) == list(range(9))


def test_one_item_is_read_without_the_next() -> None:
    called = list[int]()
    found = read_ahead(lambda item: called.append(item), range(9))
    next(found)
    assert called == [0]


def test_the_error_of_a_call_is_raised_at_its_place() -> None:
    found = read_ahead(lambda item: 6 // (3 - item), range(5))
    assert [next(found) for _ in range(3)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(found)
