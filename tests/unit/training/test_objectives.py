import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from training.objectives import (
    OBJECTIVES,
    bce_discriminator,
    bce_generator,
    relativistic_discriminator,
    relativistic_generator,
    wasserstein_discriminator,
    wasserstein_generator,
)

REAL, FAKE = torch.tensor([0.0, math.log(3)]), torch.tensor([0.0, -math.log(3)])


def test_bce_by_hand() -> None:
    # sigmoid(0) = 1/2 and sigmoid(ln 3) = 3/4.
    expected = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    assert bce_discriminator(REAL, FAKE).item() == pytest.approx(2 * expected, rel=1e-6)
    assert bce_generator(REAL, FAKE).item() == pytest.approx(-(math.log(1 / 2) + math.log(1 / 4)) / 2, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_bce_is_what_torch_calls_so_with_its_gradient(smoothing: float) -> None:
    logits = torch.linspace(-30, 30, 41, requires_grad=True)
    ours = bce_discriminator(logits, logits, smoothing) + bce_generator(logits, logits)
    ones, zeros = torch.ones(41), torch.zeros(41)
    reals = binary_cross_entropy_with_logits(logits, ones - smoothing)
    theirs = reals + binary_cross_entropy_with_logits(logits, ones) + binary_cross_entropy_with_logits(logits, zeros)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, logits)[0], torch.autograd.grad(theirs, logits)[0])


def test_wasserstein_by_hand() -> None:
    real, fake = torch.tensor([3.0, 5.0]), torch.tensor([-1.0, 2.0])
    assert wasserstein_discriminator(real, fake).item() == pytest.approx(0.5 - 4)
    assert wasserstein_generator(real, fake).item() == pytest.approx(-0.5)


def test_the_relativistic_pair_by_hand() -> None:
    # Pairs (0, 0) and (ln 3, -ln 3): sigmoids of the differences are 1/2 and 9/10.
    assert relativistic_discriminator(REAL, FAKE).item() == pytest.approx(-(math.log(0.5) + math.log(0.9)) / 2)
    assert relativistic_generator(REAL, FAKE).item() == pytest.approx(-(math.log(0.5) + math.log(0.1)) / 2)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_network_is_drawn_where_the_objective_wants_it(name: str) -> None:
    real, fake = torch.randn(8, requires_grad=True), torch.randn(8, requires_grad=True)
    up, down = torch.autograd.grad(OBJECTIVES[name].discriminator(real, fake), (real, fake))
    assert (up < 0).all()  # descent raises the logits of reals
    assert (down > 0).all()
    (wanted,) = torch.autograd.grad(OBJECTIVES[name].generator(real.detach(), fake), fake)
    assert (wanted < 0).all()


@pytest.mark.parametrize("name", ["wasserstein", "relativistic"])
def test_only_differences_of_logits_count(name: str) -> None:
    objective = OBJECTIVES[name]
    torch.testing.assert_close(objective.discriminator(REAL, FAKE), objective.discriminator(REAL + 7, FAKE + 7))
