import pytest
import torch
from torch import Tensor

from training.metrics import memorisation, neighbours, verdicts
from training.metrics.reference import Reference, Source

SOURCE = Source(extractor="tiles", resize="none", dataset="pets", dataset_sha256="ab" * 32)


def points(seed: int, n: int = 200) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def reference(seed: int) -> Reference:
    return Reference(SOURCE, points(seed), torch.arange(200) % 3)


@pytest.mark.parametrize(
    ("votes", "winner"), [([0, 1, 1, 2, 2], 1), ([2, 1, 0, 0, 0], 0), ([2, 0, 1, 1, 2], 2), ([0, 1, 1, 0, 2], 0)]
)
def test_the_most_votes_win_and_the_nearer_of_equals(votes: list[int], winner: int) -> None:
    assert verdicts._vote(torch.tensor([votes])).tolist() == [winner]


def test_reals_without_a_class_have_a_vote_of_none() -> None:
    assert verdicts._vote(torch.full((2, 5), -1)).tolist() == [-1, -1]


def test_copies_are_searched_among_training_images_where_the_reals_are_others() -> None:
    reals, training = reference(1), reference(2)
    fakes = torch.cat([training.features[:20] + 0.01, reals.features[:20] + 0.01, points(3)])
    judged = verdicts.judge(reals, fakes, training)
    assert judged.is_copy[:20].all()
    assert judged.is_copy[20:40].double().mean() < 0.5
    assert judged.nearest_training.indices[:20, 0].tolist() == list(range(20))
    alone = verdicts.judge(reals, fakes)
    assert alone.is_copy[20:40].all()
    assert alone.is_copy[:20].double().mean() < 0.5


def test_the_ratio_compares_with_the_median_distance_of_reals() -> None:
    reals, fakes = reference(1), points(3)
    typical = memorisation.summarise(neighbours.nearest_others(reals.features, 5).distances).typical
    nearest = neighbours.nearest(fakes, reals.features).distances.median()
    assert verdicts.judge(reals, fakes).nearest_ratio == pytest.approx(float(nearest) / typical)
