from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from training.metrics.features import Extractor
from training.prove.examples import Examples
from training.prove.probe import LinearProbe


def cloud(centre: float, n: int, seed: int) -> Tensor:
    return centre + torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


def examples(low: float, high: float, n: int, seed: int = 0) -> Examples:
    labels = torch.arange(2 * n) // n
    return Examples(torch.cat([cloud(low, n, seed), cloud(high, n, seed + 1)]), labels)


@pytest.fixture
def probe(tile_extractor: Extractor) -> LinearProbe:
    return LinearProbe(tile_extractor)


def test_classes_that_a_line_separates_are_told_apart(probe: LinearProbe) -> None:
    test = examples(-2, 2, 200, seed=5)
    answers = probe.classify([examples(-2, 2, 30)], test.inputs, 2, 0)
    assert (answers == test.labels).double().mean() > 0.95


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_scale_of_the_features_changes_nothing(probe: LinearProbe, factor: float) -> None:
    train, test = examples(-1, 1, 30), examples(-1, 1, 200, seed=5)
    answers = probe.classify([train], test.inputs, 2, 0)
    scaled = probe.classify([Examples(train.inputs * factor, train.labels)], test.inputs * factor, 2, 0)
    assert (answers == scaled).double().mean() > 0.99


def test_a_small_part_counts_as_much_as_a_large_one(probe: LinearProbe) -> None:
    # The large part says that low is class 1, the small one says the opposite, and lies further out.
    small, large = examples(-6, 6, 5), examples(1, -1, 500)
    test = Examples(torch.tensor([[-6.0] * 4, [6.0] * 4]), torch.tensor([0, 1]))
    assert probe.classify([small, large], test.inputs, 2, 0).tolist() == [0, 1]
    joined = Examples(torch.cat([small.inputs, large.inputs]), torch.cat([small.labels, large.labels]))
    assert probe.classify([joined], test.inputs, 2, 0).tolist() == [1, 0]


def test_equal_features_are_no_error(probe: LinearProbe) -> None:
    same = Examples(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]))
    assert probe.classify([same], torch.ones(2, 3), 2, 0).shape == (2,)


def test_the_inputs_are_features(probe: LinearProbe) -> None:
    done: list[int] = []
    heard: Callable[[int], None] = done.append
    assert probe.prepare(torch.zeros(6, 3, 32, 32, dtype=torch.uint8), heard).shape == (6, 48)
    assert done[-1] == 6
