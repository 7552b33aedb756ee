import pytest
import torch

from training.gate import rank

LINE = torch.arange(5.0)


def test_equal_orders_have_the_correlation_one_and_opposite_ones_minus_one() -> None:
    assert rank.spearman(LINE, LINE.exp()) == pytest.approx(1)
    assert rank.spearman(LINE, -LINE) == pytest.approx(-1)


def test_two_values_have_no_rank_correlation() -> None:
    assert rank.spearman(LINE[:2], LINE[:2]) is None


def test_the_auc_counts_pairs_and_equal_scores_half() -> None:
    assert rank.auc(torch.tensor([1.0, 2.0, 3.0, 3.0]), torch.tensor([False, True, False, True])) == 0.625


def test_an_auc_needs_both_kinds() -> None:
    assert rank.auc(LINE, torch.ones(5, dtype=torch.bool)) is None


def test_the_mean_is_over_classes_that_have_a_value() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2])
    a, b = torch.tensor([1.0, 2, 3, 1, 2, 3, 9]), torch.tensor([1.0, 2, 3, 3, 2, 1, 9])
    assert rank.mean_over_classes(rank.spearman, a, b, labels, 0.3) == pytest.approx(0)
    assert rank.mean_over_classes(rank.spearman, a[6:], b[6:], labels[6:], 0.3) == 0.3
