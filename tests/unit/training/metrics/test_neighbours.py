import pytest
import torch
from torch import Tensor
from torch_fidelity import metric_prc

from training.metrics import neighbours

REALS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [4.0, 2.0]])
FAKES = torch.tensor([[0.5, 0.0], [0.0, 3.0], [4.0, 1.0], [4.0, 1.4]])


def points(seed: int, n: int = 100) -> Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_points_come_nearest_first() -> None:
    found = neighbours.nearest(torch.tensor([[0.9, 0.0]]), REALS, 3)
    assert found.indices.tolist() == [[1, 0, 2]]
    torch.testing.assert_close(found.distances, torch.tensor([[0.1, 0.9, 3.1]]))


def test_a_point_is_not_its_own_neighbour() -> None:
    assert neighbours.nearest_others(REALS).indices.tolist() == [[1], [0], [3], [2]]
    assert neighbours.nearest_others(REALS).distances.tolist() == [[1], [1], [2], [2]]


def test_a_duplicate_is_a_neighbour_at_no_distance() -> None:
    twice = torch.cat([REALS, REALS[:1]])
    assert neighbours.nearest_others(twice).distances[:, 0].tolist() == [0, 1, 2, 2, 0]


def test_the_first_points_alone_can_be_asked_for() -> None:
    assert neighbours.nearest_others(REALS, count=3).indices.tolist() == [[1], [0], [3]]


def test_fidelity_is_that_worked_out_by_hand() -> None:
    reals, fakes = neighbours.manifold(REALS, 1), neighbours.manifold(FAKES, 1)
    assert reals.radii.tolist() == [1, 1, 2, 2]
    torch.testing.assert_close(fakes.radii, torch.tensor([9.25**0.5, 9.25**0.5, 0.4, 0.4]))
    found = neighbours.fidelity(reals, fakes, 1)
    assert found.precision == 3 / 4  # the second fake lies in no ball
    assert found.density == 6 / 4  # the others lie in two each
    assert found.coverage == 1
    assert found.recall == 2 / 4  # the last two reals lie in no ball of a fake


def test_a_point_on_the_border_of_a_ball_lies_in_it() -> None:
    reals = neighbours.Manifold(torch.tensor([[0.0]]), torch.tensor([1.0]))
    fakes = neighbours.Manifold(torch.tensor([[1.0]]), torch.tensor([1.0]))
    assert neighbours.fidelity(reals, fakes, 1) == (1, 1, 1, 1)


def test_density_counts_balls_per_neighbour() -> None:
    reals, fakes = neighbours.manifold(REALS, 2), neighbours.manifold(FAKES, 2)
    # Radii of the reals are 4, 3, 3 and sqrt(13): the fakes lie in 2, 1, 2 and 2 of the balls.
    inside = [2, 1, 2, 2]
    assert [int(row.sum()) for row in torch.cdist(FAKES, REALS) <= reals.radii] == inside
    assert neighbours.fidelity(reals, fakes, 2).density == sum(inside) / (2 * 4)


def test_lost_modes_cost_coverage_and_recall_but_not_precision() -> None:
    reals = torch.cat([points(0), points(1) + 20])
    found = neighbours.fidelity(neighbours.manifold(reals), neighbours.manifold(points(2, 200)))
    assert found.precision > 0.8
    assert found.coverage <= 0.5
    assert found.recall <= 0.5


def test_fakes_off_the_manifold_cost_precision_but_not_recall() -> None:
    fakes = torch.cat([points(2), points(3) + 20])
    found = neighbours.fidelity(neighbours.manifold(points(0, 200)), neighbours.manifold(fakes))
    assert found.precision <= 0.5
    assert found.recall > 0.8


def test_torch_fidelity_finds_the_same_precision_and_recall() -> None:
    reals, fakes = points(4), points(5) * 1.3
    theirs = metric_prc.prc_features_to_metric(fakes, reals, prc_neighborhood=3, prc_batch_size=100, verbose=False)
    own = neighbours.fidelity(neighbours.manifold(reals, 3), neighbours.manifold(fakes, 3), 3)
    assert (own.precision, own.recall) == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-6)
    assert 0.1 < own.precision < 0.9


def test_the_mean_distance_is_that_of_different_points() -> None:
    # Between (0, 0), (1, 0) and (4, 0): 1, 4 and 3.
    assert neighbours.mean_distance(REALS[:3]) == pytest.approx(8 / 3)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> tuple[Tensor, Tensor, neighbours.Fidelity, float]:
        reals, fakes = points(6), torch.cat([points(7, 50), points(8, 50) * 2])
        found = neighbours.fidelity(neighbours.manifold(reals), neighbours.manifold(fakes))
        nearest = neighbours.nearest(fakes, reals, 2)
        return neighbours.nearest_others(reals, 3).indices, nearest.indices, found, neighbours.mean_distance(reals)

    whole = everything()
    monkeypatch.setattr(neighbours, "_CHUNK", 7)
    parts = everything()
    assert torch.equal(parts[0], whole[0])
    assert torch.equal(parts[1], whole[1])
    assert parts[2] == whole[2]
    assert parts[3] == pytest.approx(whole[3], rel=1e-5)  # short blocks are not computed by products
