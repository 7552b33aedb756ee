import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from training.objectives import bce_discriminator, bce_generator

REAL, FAKE = torch.tensor([0.0, math.log(3)]), torch.tensor([0.0, -math.log(3)])


def test_bce_by_hand() -> None:
    # sigmoid(0) = 1/2 and sigmoid(ln 3) = 3/4.
    expected = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    assert bce_discriminator(REAL, FAKE).item() == pytest.approx(2 * expected, rel=1e-6)
    assert bce_generator(FAKE).item() == pytest.approx(-(math.log(1 / 2) + math.log(1 / 4)) / 2, rel=1e-6)


def test_bce_is_what_torch_calls_so_with_its_gradient() -> None:
    logits = torch.linspace(-30, 30, 41, requires_grad=True)
    ours = bce_discriminator(logits, logits) + bce_generator(logits)
    ones, zeros = torch.ones(41), torch.zeros(41)
    theirs = 2 * binary_cross_entropy_with_logits(logits, ones) + binary_cross_entropy_with_logits(logits, zeros)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, logits)[0], torch.autograd.grad(theirs, logits)[0])
