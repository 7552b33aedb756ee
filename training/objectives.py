"""What the two networks strive for: pure functions of raw logits."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Objective:
    """A pair of losses. Shapes: logits (n,), loss ()."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """From the logits of reals and of fakes."""
    generator: Callable[[Tensor], Tensor]
    """From the logits of fakes."""


def bce_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy with reals as 1 and fakes as 0. Source: Goodfellow et al. 2014, equation 1."""
    return softplus(-real).mean() + softplus(fake).mean()


def bce_generator(fake: Tensor) -> Tensor:
    """Take the non-saturating loss -log D(G(z)). Source: Goodfellow et al. 2014, section 3."""
    return softplus(-fake).mean()


OBJECTIVES = {"bce": Objective(bce_discriminator, bce_generator)}
