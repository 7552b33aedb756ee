import torch
from torch import Tensor

from training.metrics import realism
from training.metrics.neighbours import Manifold


def points(seed: int, n: int = 1000) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


def test_a_score_is_the_largest_ratio_of_radius_to_distance() -> None:
    reals = Manifold(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), torch.tensor([1.0, 4.0]))
    samples = torch.tensor([[2.0, 0.0], [9.0, 0.0], [5.0, 0.0], [0.5, 0.0]])
    torch.testing.assert_close(realism.score(samples, reals), torch.tensor([0.5, 4.0, 0.8, 2.0]))


def test_a_copy_of_a_real_that_exists_twice_has_a_finite_score() -> None:
    reals = Manifold(torch.zeros(2, 2), torch.zeros(2))
    assert realism.score(torch.zeros(1, 2), reals).isfinite().all()


def test_real_images_pass_as_often_as_they_should() -> None:
    # The standard error of a share of 1000 around a threshold set with 1000 is 0.01.
    assert abs(float(realism.passes(points(0), points(1), points(2)).double().mean()) - 0.95) < 0.03


def test_held_out_reals_set_the_threshold() -> None:
    held_out = points(2)
    assert float(realism.passes(held_out, points(1), held_out).double().mean()) == 0.95


def test_broken_samples_are_not_accepted() -> None:
    fakes = torch.cat([points(0, 600), points(3, 400) + 10])
    assert abs(float(realism.passes(fakes, points(1), points(2)).double().mean()) - 0.95 * 0.6) < 0.03
