from collections import Counter

import numpy as np
import pytest

from training.dataset.order import Balanced, Indices, Shuffled, quotas

COUNTS = np.asarray([70, 25, 4, 1])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4), COUNTS))


def dealt(balance: float, epochs: int, draws: int = 96) -> list[Indices]:
    order = Balanced(LABELS, balance, draws, 0)
    return [order.epoch(number) for number in range(epochs)]


def test_a_plain_epoch_is_a_permutation() -> None:
    assert sorted(Shuffled(50, 3).epoch(2)) == list(range(50))


@pytest.mark.parametrize("other", [Shuffled(50, 1), Shuffled(50, 4096), Shuffled(50, 2**32)])
def test_every_seed_has_an_order_of_its_own(other: Shuffled) -> None:
    assert not np.array_equal(Shuffled(50, 0).epoch(0), other.epoch(0))
    assert np.array_equal(Shuffled(50, 0).epoch(5), Shuffled(50, 0).epoch(5))


@pytest.mark.parametrize("balance", [0.25, 1])
def test_the_images_of_a_class_are_dealt_in_rounds_over_all_epochs(balance: float) -> None:
    sequence = np.concatenate(dealt(balance, 40))
    for label, count in enumerate(COUNTS):
        seen = Counter(sequence[LABELS[sequence] == label].tolist())
        assert len(seen) == count
        assert max(seen.values()) - min(seen.values()) <= 1


def test_every_round_of_a_class_and_every_seed_has_an_order_of_its_own() -> None:
    orders = [Balanced(np.repeat([0, 1], 24), 1, 24, seed) for seed in (0, 1)]
    first_halves = {frozenset(k for k in order.epoch(2 * number) if k < 24) for order in orders for number in range(3)}
    assert len(first_halves) == 6
    assert {len(half) for half in first_halves} == {12}


def test_classes_are_mixed_within_an_epoch() -> None:
    labels = LABELS[dealt(1, 1)[0]]
    runs = 1 + int((labels[1:] != labels[:-1]).sum())
    assert 60 <= runs <= 84  # 96 draws of 4 equal classes: 72 runs, standard deviation about 4


def test_full_balance_shows_all_classes_equally_often_and_one_image_is_enough() -> None:
    assert all(np.bincount(LABELS[epoch]).tolist() == [24] * 4 for epoch in dealt(1, 3))


@pytest.mark.parametrize(
    ("balance", "expected"),
    [(0, [67, 24, 4, 1]), (0.5, [49, 29, 12, 6]), (1, [24, 24, 24, 24])],
)
def test_a_class_is_shown_in_proportion_to_a_power_of_its_count(balance: float, expected: list[int]) -> None:
    assert quotas(COUNTS, balance, 96).tolist() == expected


@pytest.mark.parametrize("draws", [8, 9, 11, 12])
def test_no_class_is_left_out_of_an_epoch(draws: int) -> None:
    found = quotas(np.asarray([1, 1, 1, 1, 1, 1, 3, 3]), 0.1, draws)
    assert found.min() >= 1
    assert found.sum() == draws
