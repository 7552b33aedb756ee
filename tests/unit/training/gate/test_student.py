import torch
from torch import Tensor

from models.quality_gate import GateNetwork
from training.budget import Budget
from training.gate import student
from training.gate.student import Lesson, _Student
from training.random_stream import RandomStream

CPU = torch.device("cpu")


def lesson(n: int = 256) -> Lesson:
    """Grids whose realism is the level of their features. The second class has another mean realism."""
    stream = torch.Generator().manual_seed(1)
    level, labels = torch.rand(n, generator=stream), torch.arange(n) % 2
    noise = torch.rand(n, 64, 2, 2, generator=stream)
    return Lesson((4 * level[:, None, None, None] + noise).bfloat16(), labels, level + 10 * labels)


def train(steps: int, seed: int = 0) -> tuple[Tensor, Tensor, list[float]]:
    given, spent = lesson(), list[float]()
    network = student.train(given, Budget(steps=steps), seed, CPU, spent.append)
    assert not network.training
    return network(given.grids.float()), given.realism, spent


def test_a_student_learns_the_order_within_each_class() -> None:
    scores, realism, spent = train(60)
    for label in (0, 1):
        assert torch.corrcoef(torch.stack([scores[label::2], realism[label::2]]))[0, 1] > 0.9
    # The classes differ in their mean realism, which is not to learn.
    assert abs(scores[0::2].mean() - scores[1::2].mean()) < scores.std()
    assert spent[-1] == 1
    assert len(spent) == 60


def test_a_seed_fixes_the_network() -> None:
    assert torch.equal(train(3)[0], train(3)[0])
    assert not torch.equal(train(3)[0], train(3, seed=1)[0])


def test_the_norms_are_folded_without_a_change_of_the_function() -> None:
    torch.manual_seed(0)
    grids, stream = 3 * torch.rand(64, 64, 2, 2) + 1, RandomStream(torch.Generator())
    trained = _Student(GateNetwork(64, 32))
    for _ in range(20):
        trained(grids, stream)
    expected = trained.eval()(grids, stream).detach()
    torch.testing.assert_close(trained.folded()(grids), expected, rtol=1e-4, atol=1e-5)


def test_training_draws_no_random_numbers_of_the_caller() -> None:
    torch.manual_seed(3)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    train(1)
    assert torch.equal(torch.rand(1), drawn)
