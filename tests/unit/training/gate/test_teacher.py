import torch

from training.gate import teacher

REALS = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))


def test_realism_falls_with_the_distance() -> None:
    near, middle, far = teacher.realism(torch.tensor([[0.0] * 4, [2.0] * 4, [5.0] * 4]), REALS)
    assert near > middle > far


def test_realism_sums_the_ten_largest_and_the_fifty_nearest_ratios() -> None:
    samples = torch.randn(9, 4, generator=torch.Generator().manual_seed(1))
    distances, between = torch.cdist(samples, REALS), torch.cdist(REALS, REALS)
    ratios = (between.sort(dim=1).values[:, 20] / distances).log()
    largest = ratios.sort(dim=1, descending=True).values[:, :10].mean(dim=1)
    nearest = torch.stack([row[order[:50]].mean() for row, order in zip(ratios, distances.argsort(dim=1), strict=True)])
    expected = sum((score - score.mean()) / score.std(correction=0) for score in (largest, nearest))
    torch.testing.assert_close(teacher.realism(samples, REALS), torch.as_tensor(expected), atol=1e-4, rtol=1e-4)


def test_copies_and_repeated_reals_have_a_finite_realism() -> None:
    assert teacher.realism(torch.zeros(2, 3), torch.zeros(40, 3)).isfinite().all()
