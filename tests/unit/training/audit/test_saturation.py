import torch
from torch import Tensor

from training.audit import saturation
from training.metrics.reference import Reference, Source

SOURCE = Source(extractor="tiles", resize="none", dataset="pets", dataset_sha256="ab" * 32)


def points(seed: int, n: int) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


def reals(n: int = 400) -> Reference:
    return Reference(SOURCE, points(0, n), torch.zeros(n, dtype=torch.int64))


def test_a_hundredth_of_real_images_is_nearer_than_a_hundredth() -> None:
    found = saturation.measure(points(1, 400), reals())
    assert [each.n for each in found] == [50, 100, 200, 400]
    assert found[-1].reals == 0.01


def test_more_images_of_a_small_world_repeat_each_other_more() -> None:
    # Only 60 different images, each with a little noise.
    drawn = points(2, 60)[torch.randint(60, (800,), generator=torch.Generator().manual_seed(3))] + points(4, 800) / 1e4
    found = saturation.measure(drawn, reals())
    shares = [each.share for each in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert [each.reals is None for each in found] == [False, False, False, True]


def test_few_images_are_measured_once() -> None:
    assert [each.n for each in saturation.measure(points(1, 7), reals())] == [7]
