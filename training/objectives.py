"""Losses of the two networks: pure functions of raw logits."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Objective:
    """A pair of losses of real and fake logits. Shapes: logits (n,), loss ()."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


def bce_discriminator(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Binary cross-entropy with reals as 1 - smoothing and fakes as 0.

    Sources: Goodfellow et al. 2014, equation 1; Salimans et al. 2016, section 3.4 (one-sided smoothing).
    """
    return softplus(-real).mean() + smoothing * real.mean() + softplus(fake).mean()


def bce_generator(_real: Tensor, fake: Tensor) -> Tensor:
    """Return the non-saturating loss -log D(G(z)). Source: Goodfellow et al. 2014, section 3."""
    return softplus(-fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the negative estimate of the Wasserstein distance. Source: Arjovsky et al. 2017, algorithm 1."""
    return fake.mean() - real.mean()


def wasserstein_generator(_real: Tensor, fake: Tensor) -> Tensor:
    """Return the negative critic score of fakes. Source: Arjovsky et al. 2017, algorithm 1."""
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Push the logit of each real above that of the fake at the same position.

    Source: Jolicoeur-Martineau 2018, "The relativistic discriminator", equation 3, with the logistic loss.
    """
    return softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Push the logit of each fake above that of the real at the same position. Source: as above, equation 4."""
    return softplus(real - fake).mean()


OBJECTIVES = {
    "bce": Objective(bce_discriminator, bce_generator),
    "wasserstein": Objective(wasserstein_discriminator, wasserstein_generator),
    "relativistic": Objective(relativistic_discriminator, relativistic_generator),
}
