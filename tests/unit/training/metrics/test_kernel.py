import pytest
import torch
from torch import Tensor
from torch_fidelity import metric_kid

from training.metrics import kernel


def points(seed: int, n: int) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def test_the_distance_of_two_pairs_is_that_worked_out_by_hand() -> None:
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    # k(x, y) = (xy + 1)^3: within a 1, within b 27, across the mean of 1, 1, 8 and 27.
    assert kernel.distance(a, b) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_the_product_is_divided_by_the_dimension() -> None:
    a, b = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([[2.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    # (x.y / 2 + 1)^3: within a 1, within b 1, across 27 twice and 1 four times of six.
    assert kernel.distance(a, b) == pytest.approx(1 + 1 - 2 * (27 + 27 + 4) / 6)


def test_it_is_unbiased() -> None:
    distances = torch.tensor([kernel.distance(points(2 * k, 20), points(2 * k + 1, 20)) for k in range(200)])
    error = distances.std() / 200**0.5
    assert abs(distances.mean()) < 3 * error  # the seeds are fixed; a biased estimate lies 20 errors off


def test_torch_fidelity_finds_the_same_distance() -> None:
    a, b = points(1, 60), points(2, 60) * 1.5
    theirs = metric_kid.kernel_mmd(
        a.numpy(),
        b.numpy(),
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1,
    )
    assert kernel.distance(a, b) == pytest.approx(theirs, rel=1e-4)  # theirs sums in float32


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = points(3, 30), points(4, 25)
    whole = kernel.distance(a, b)
    monkeypatch.setattr(kernel, "_CHUNK", 7)
    assert kernel.distance(a, b) == pytest.approx(whole, rel=1e-5)  # float32 products
