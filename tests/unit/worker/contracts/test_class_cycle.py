import random
import time
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.contracts.class_cycle import class_at, class_counts, class_cycle, reduce_shares

Counts = st.lists(st.integers(0, 60), min_size=1, max_size=8).filter(any)


@given(Counts)
def test_the_order_is_by_rank_then_class(counts: list[int]) -> None:
    ranks = [(Fraction(2 * k + 1, 2 * n), c) for c, n in enumerate(counts) for k in range(n)]
    assert class_cycle(tuple(counts)) == tuple(number for _, number in sorted(ranks))


def test_counts_are_exact_for_a_thousand_random_requests() -> None:
    chance = random.Random(17)
    for _ in range(1000):
        counts = [chance.choice((0, 1, chance.randrange(300))) for _ in range(chance.randrange(1, 9))]
        if not any(counts):
            continue
        shares, start = reduce_shares(counts), chance.randrange(2**53)
        found = Counter(class_at(shares, index) for index in range(start, start + sum(counts)))
        assert [found[number] for number in range(len(counts))] == counts
        assert class_counts(shares, sum(counts)) == tuple(counts)


@given(Counts)
@example([1, 1, 1, 1, 1, 15])
@example([1] * 30 + [90])
def test_every_beginning_has_each_class_near_its_share(counts: list[int]) -> None:
    total, found = sum(counts), Counter[int]()
    for length, label in enumerate(class_cycle(tuple(counts)), start=1):
        found[label] += 1
        assert all(
            abs(found[c] - Fraction(length * count, total)) <= Fraction(len(counts), 2)
            for c, count in enumerate(counts)
        )


@given(Counts, st.integers(0, 500))
def test_the_counts_of_a_beginning_are_those_of_its_images(counts: list[int], n: int) -> None:
    shares = reduce_shares(counts)
    found = Counter(class_at(shares, index) for index in range(n))
    assert class_counts(shares, n) == tuple(found[number] for number in range(len(shares)))


@pytest.mark.parametrize("classes", [1, 2, 3, 7])
def test_equal_shares_alternate(classes: int) -> None:
    assert [class_at((1,) * classes, index) for index in range(50)] == [index % classes for index in range(50)]


def test_a_hundred_thousand_labels_take_less_than_50_ms() -> None:
    shares = (33_331, 33_335, 33_334)
    began = time.process_time()
    labels = [class_at(shares, index) for index in range(100_000)]
    assert time.process_time() - began < 0.05
    assert len(labels) == 100_000
