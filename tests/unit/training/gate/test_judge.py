import torch
from torch import Tensor

from training.gate.judge import Judge
from training.metrics import realism


def points(seed: int, n: int = 400) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


def test_real_images_are_judged_real_and_strangers_are_not() -> None:
    judge = Judge(points(0))
    real, strange = judge.effect(0.5, points(1)), judge.effect(0.5, points(1) + 10)
    assert real.keep == 0.5
    assert real.yield_ > 0.9
    assert real.precision > 0.8
    assert real.coverage > 0.8
    assert strange.yield_ == strange.precision == strange.coverage == 0
    assert strange.fd > 100 > real.fd


def test_the_yield_is_that_of_an_evaluation() -> None:
    reals, fakes = points(0), torch.cat([points(1), points(2) + 3])
    assert Judge(reals).effect(1, fakes).yield_ == float(
        realism.passes(fakes, reals[:200], reals[200:]).double().mean()
    )
    assert float(Judge(reals).passes(fakes).double().mean()) == Judge(reals).effect(1, fakes).yield_


def test_the_realism_falls_with_the_distance() -> None:
    found = Judge(points(0)).realism(torch.tensor([[0.0, 0, 0, 0], [4.0, 0, 0, 0], [9.0, 0, 0, 0]]))
    assert found[0] > found[1] > found[2]
