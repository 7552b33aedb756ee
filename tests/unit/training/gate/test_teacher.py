import torch

from training.gate import teacher


def test_realism_is_the_mean_over_ten_reals() -> None:
    # Each of 30 reals at 0, 1, ... 29; the 20th neighbour of the first is at distance 20.
    reals = torch.arange(30.0)[:, None]
    radii = torch.tensor([float(sorted(abs(other - real) for other in range(30))[20]) for real in range(30)])
    ratios = radii / (torch.tensor(-5.0) - reals[:, 0]).abs()
    expected = ratios.topk(10).values.log().mean()
    torch.testing.assert_close(teacher.realism(torch.tensor([[-5.0]]), reals), expected[None])


def test_copies_and_repeated_reals_have_a_finite_realism() -> None:
    assert teacher.realism(torch.zeros(2, 3), torch.zeros(40, 3)).isfinite().all()


def test_realism_falls_with_the_distance() -> None:
    reals = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    near, far = teacher.realism(torch.tensor([[0.0] * 4, [5.0] * 4]), reals)
    assert near > far
