"""Penalties that keep a discriminator smooth: pure functions of the discriminator and its input images."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Logits = Callable[[Tensor], Tensor]
"""Maps images (n, 3, h, w) to raw logits (n,)."""


def zero_centred(logits_of: Logits, images: Tensor) -> Tensor:
    """Return the mean squared norm of the gradient at the images: R1 for reals, R2 for fakes.

    Shapes: images (n, 3, h, w); returns (). Source: Mescheder et al. 2018, equations 9 and 10, without gamma / 2.
    """
    return _gradients(logits_of, images).square().sum(1).mean()


def one_centred(logits_of: Logits, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Return the mean squared distance between 1 and the gradient norm at points between reals and fakes.

    Shapes: real and fake (n, 3, h, w), share (n, 1, 1, 1) in [0, 1]; returns ().
    Source: Gulrajani et al. 2017, equation 3, without lambda.
    """
    between = torch.lerp(fake, real, share)
    norms: Tensor = _gradients(logits_of, between).norm(dim=1)
    return (norms - 1).square().mean()


@torch.no_grad()
def clip(discriminator: nn.Module, limit: float) -> None:
    """Clamp every weight to [-limit, limit]. Source: Arjovsky et al. 2017, algorithm 1."""
    weights = tuple(discriminator.parameters())
    torch._foreach_clamp_min_(weights, -limit)
    torch._foreach_clamp_max_(weights, limit)


def _gradients(logits_of: Logits, images: Tensor) -> Tensor:
    images = images.detach().requires_grad_(True)
    # The sum has each image's own gradient, because images do not interact. create_graph allows its derivative.
    (gradients,) = torch.autograd.grad(logits_of(images).sum(), images, create_graph=True)
    return gradients.flatten(1)
