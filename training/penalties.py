"""What keeps a discriminator smooth: pure functions of it and of the images it looks at."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Logits = Callable[[Tensor], Tensor]
"""From images (n, 3, h, w) to raw logits (n,)."""


def zero_centred(logits_of: Logits, images: Tensor) -> Tensor:
    """Mean squared norm of the gradient at the images: R1 at reals, R2 at fakes.

    Shapes: images (n, 3, h, w); returns (). Source: Mescheder et al. 2018, equations 9 and 10, without gamma / 2.
    """
    return _gradients(logits_of, images).square().sum(1).mean()


def one_centred(logits_of: Logits, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean squared distance from 1 of the gradient's norm between reals and fakes.

    Shapes: real and fake (n, 3, h, w), share (n, 1, 1, 1) in [0, 1]; returns ().
    Source: Gulrajani et al. 2017, equation 3, without lambda.
    """
    between = torch.lerp(fake, real, share)
    norms: Tensor = _gradients(logits_of, between).norm(dim=1)
    return (norms - 1).square().mean()


@torch.no_grad()
def clip(discriminator: nn.Module, limit: float) -> None:
    """Hold every weight within the limit. Source: Arjovsky et al. 2017, algorithm 1."""
    for weights in discriminator.parameters():
        weights.clamp_(-limit, limit)


def _gradients(logits_of: Logits, images: Tensor) -> Tensor:
    images = images.detach().requires_grad_(True)
    (gradients,) = torch.autograd.grad(logits_of(images).sum(), images, create_graph=True)
    return gradients.flatten(1)
