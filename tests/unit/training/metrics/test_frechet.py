import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity import metric_fid

from training.metrics import frechet
from training.metrics.frechet import Gaussian


def points(seed: int, n: int, dim: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(n, dim, generator=random) @ torch.randn(dim, dim, generator=random)


def test_means_apart_and_unlike_spreads_add_up() -> None:
    a = Gaussian(torch.tensor([0.0, 0.0]).double(), torch.diag(torch.tensor([1.0, 4.0]).double()))
    b = Gaussian(torch.tensor([3.0, 4.0]).double(), torch.diag(torch.tensor([9.0, 16.0]).double()))
    # 3^2 + 4^2, and (1 - 3)^2 + (2 - 4)^2 of the standard deviations.
    assert frechet.distance(a, b) == pytest.approx(33, abs=1e-9)


def test_spreads_along_other_axes_are_apart() -> None:
    zero = torch.zeros(2).double()
    a = Gaussian(zero, torch.diag(torch.tensor([1.0, 4.0]).double()))
    b = Gaussian(zero, torch.tensor([[2.5, 1.5], [1.5, 2.5]]).double())  # a, turned by 45 degrees
    # tr M^(1/2) = (tr M + 2 det(M)^(1/2))^(1/2) for 2 x 2 matrices; here tr M = 12.5 and det M = 16.
    assert frechet.distance(a, b) == pytest.approx(10 - 2 * math.sqrt(20.5), abs=1e-9)


def test_a_gaussian_has_the_mean_and_the_unbiased_covariance_of_its_points() -> None:
    fitted = frechet.gaussian(torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]))
    assert fitted.mean.tolist() == [1, 1]
    torch.testing.assert_close(fitted.covariance, torch.eye(2).double() * 4 / 3)


def test_a_set_is_at_no_distance_from_itself() -> None:
    fitted = frechet.gaussian(points(0, 200, 16))
    # Rounding alone: eigenvalues near 0 are known to about 1e-16 of the largest (about 40), their roots to 1e-7.
    assert frechet.distance(fitted, fitted) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("n", [300, 20], ids=["more points than dimensions", "fewer"])
def test_torch_fidelity_finds_the_same_distance(n: int) -> None:
    a, b = points(1, n, 32), points(2, n, 32) + 0.5
    own = frechet.distance(frechet.gaussian(a), frechet.gaussian(b))
    theirs = metric_fid.fid_statistics_to_metric(
        *(metric_fid.fid_features_to_statistics(x.double()) for x in (a, b)), verbose=False
    )
    # Theirs takes roots of eigenvalues that should be 0 and are 1e-14.
    assert own == pytest.approx(theirs["frechet_inception_distance"], rel=1e-5)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features = points(3, 50, 4)
    whole = frechet.gaussian(features)
    monkeypatch.setattr(frechet, "_CHUNK", 7)
    # Sums in another order differ in the last bits of float64.
    torch.testing.assert_close(frechet.gaussian(features).covariance, whole.covariance, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(whole.covariance, np.cov(features.double().numpy(), rowvar=False), rtol=1e-6)
