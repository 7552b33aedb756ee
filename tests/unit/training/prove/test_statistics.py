import pytest
import torch
from torch import Tensor

from training.metrics import uncertainty
from training.prove import statistics
from training.prove.statistics import Difference


def hits(*rows: list[int]) -> Tensor:
    return torch.tensor(rows).bool()


def test_the_half_width_is_that_of_a_t_interval() -> None:
    # scipy.stats.t.interval(0.95, 4, loc=3, scale=scipy.stats.sem([1, 2, 3, 4, 5])) is 1.0368 to 4.9632.
    assert statistics.half_width([1, 2, 3, 4, 5]) == pytest.approx(1.9632, abs=1e-3)
    assert statistics.half_width([7, 7]) == 0


@pytest.mark.parametrize(("n", "quantile"), [(2, 12.706), (11, 2.228), (20, 2.093)])
def test_the_quantile_belongs_to_one_degree_of_freedom_less(n: int, quantile: float) -> None:
    values = [0.0] * (n - 1) + [1.0]
    error = (sum((v - 1 / n) ** 2 for v in values) / (n - 1) / n) ** 0.5
    assert statistics.half_width(values) == pytest.approx(quantile * error)


def test_the_accuracy_is_the_mean_of_the_classes() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    made = statistics.accuracy(hits([1, 1, 1, 0], [1, 0, 1, 1]), labels)
    assert made.each == pytest.approx((0.5, 5 / 6))
    assert made.mean == pytest.approx(2 / 3)
    assert 0 <= made.draws[0] < made.mean < made.draws[1] <= 1


def test_the_interval_of_the_test_set_is_wilsons() -> None:
    labels = torch.arange(4).repeat(25)
    answers = (torch.arange(100) < 80).repeat(2, 1)
    assert statistics.accuracy(answers, labels).test == pytest.approx(uncertainty.share(0.8, 100))


def test_rare_classes_widen_the_interval_of_the_test_set() -> None:
    equal = statistics.accuracy(torch.ones(2, 100).bool(), torch.arange(2).repeat(50))
    rare = statistics.accuracy(torch.ones(2, 100).bool(), (torch.arange(100) < 5).long())
    assert rare.test[0] < equal.test[0]


def test_a_difference_is_paired() -> None:
    # The draws differ by much, but the gain is the same in each.
    labels = torch.arange(2).repeat(500)
    before = torch.stack([torch.arange(1000) < 400, torch.arange(1000) < 700])
    after = torch.stack([torch.arange(1000) < 500, torch.arange(1000) < 800])
    made = statistics.difference(after, before, labels)
    assert made.mean == pytest.approx(0.1)
    assert made.is_gain
    assert not made.is_loss
    assert statistics.difference(before, after, labels).is_loss


def test_equal_draws_leave_the_uncertainty_of_the_test_images() -> None:
    labels = torch.zeros(100, dtype=torch.int64)
    before, after = torch.zeros(3, 100).bool(), (torch.arange(100) < 2).repeat(3, 1)
    made = statistics.difference(after, before, labels)
    half = 1.96 * (torch.tensor([1.0] * 2 + [0.0] * 98).var().item() / 100) ** 0.5
    assert (made.low, made.high) == pytest.approx((0.02 - half, 0.02 + half))
    assert not made.is_gain


def test_a_gain_that_depends_on_the_draw_is_uncertain() -> None:
    labels = torch.zeros(1000, dtype=torch.int64)
    before = torch.zeros(2, 1000).bool()
    after = torch.stack([torch.arange(1000) < 10, torch.arange(1000) < 400])
    made = statistics.difference(after, before, labels)
    assert made.mean == pytest.approx(0.205)
    assert not made.is_gain


def test_an_interval_of_a_true_gain_covers_it_in_most_cases() -> None:
    generator = torch.Generator().manual_seed(0)
    labels, covered = torch.arange(2).repeat(200), 0
    for _ in range(200):
        # Each image has its own difficulty, and each draw its own quality.
        difficulty, quality = torch.rand(400, generator=generator), 0.02 * torch.randn(5, 1, generator=generator)
        noise = torch.rand(2, 5, 400, generator=generator) * 0.2
        before = difficulty + noise[0] < 0.6
        after = difficulty + noise[1] < 0.65 + quality
        made = statistics.difference(after, before, labels)
        covered += made.low <= 0.05 <= made.high
    assert covered >= 186, "a 95% interval must cover the true gain in at least 93% of 200 cases"


def test_intervals_that_hold_zero_are_no_gain_and_no_loss() -> None:
    assert not Difference(0.01, 0.0, 0.02).is_gain
    assert not Difference(-0.01, -0.02, 0.0).is_loss
