import pytest
import torch

from tests.unit.training.prove.conftest import pattern
from training.prove import cnn
from training.prove.cnn import SmallNetwork
from training.prove.examples import Examples
from training.random_stream import RandomStream

CPU = torch.device("cpu")


def examples(per_class: int, first_seed: int = 0) -> Examples:
    labels = torch.arange(2 * per_class) % 2
    images = [torch.from_numpy(pattern(k % 2, first_seed + k)).permute(2, 0, 1) for k in range(2 * per_class)]
    return Examples(SmallNetwork(CPU).prepare(torch.stack(images), lambda _: None), labels)


@pytest.mark.parametrize("side", [32, 64, 48])
def test_images_of_every_size_are_reduced_to_one(side: int) -> None:
    done: list[int] = []
    inputs = SmallNetwork(CPU).prepare(torch.full((3, 3, side, side), 255, dtype=torch.uint8), done.append)
    assert inputs.shape == (3, 3, 32, 32)
    assert inputs.min().item() == pytest.approx(1)
    assert done == [3]


def test_the_network_has_about_0_2_million_weights() -> None:
    assert sum(weights.numel() for weights in cnn._build(4, 0).parameters()) == 243_236


def test_the_answers_depend_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn, "_STEPS", 30)
    train, test, judge = examples(8), examples(100, 500), SmallNetwork(CPU)
    before = torch.random.get_rng_state()
    first, again, other = (judge.classify([train], test.inputs, 2, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_batch_has_equally_many_images_of_every_part() -> None:
    small = Examples(torch.zeros(2, 3, 32, 32), torch.zeros(2, dtype=torch.int64))
    large = Examples(torch.zeros(900, 3, 32, 32), torch.ones(900, dtype=torch.int64))
    _, labels = SmallNetwork(CPU)._batch([small, large], RandomStream(torch.Generator()))
    assert labels.bincount().tolist() == [24, 24]


@pytest.mark.slow
def test_more_images_teach_more() -> None:
    test, judge = examples(150, 5000), SmallNetwork(CPU)
    few, many = (
        (judge.classify([examples(n)], test.inputs, 2, 0) == test.labels).double().mean().item() for n in (3, 500)
    )
    assert many > max(0.75, few)
