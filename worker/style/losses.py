"""What style transfer minimises: pure functions, one number for each image, so that no image depends on another.

Source: Gatys et al. 2016. Each term is divided by the square of its target, so that weights mean the same for every
layer, picture and size.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import normalize

_LEAST = 1e-12
"""So that a target of nothing is not divided by."""


class _Gram(Function):
    """A product of a matrix with itself: to have one derivative instead of two, and channels last, as convolutions."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor) -> Tensor:
        flat = features.permute(0, 2, 3, 1).flatten(1, 2)
        ctx.save_for_backward(flat)
        ctx.shape = features.shape  # type: ignore[attr-defined]
        return (flat.mT @ flat).to(torch.promote_types(features.dtype, torch.float32)) / flat[0].numel()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        (flat,) = ctx.saved_tensors  # type: ignore[attr-defined]
        n, c, h, w = ctx.shape  # type: ignore[attr-defined]
        both = (gradient + gradient.mT) / flat[0].numel()
        found: Tensor = flat @ both.to(flat.dtype)
        return found.view(n, h, w, c).permute(0, 3, 1, 2)


def gram(features: Tensor) -> Tensor:
    """Correlate the channels of each image. Shapes: (n, c, h, w); returns (n, c, c) float32, of float64 float64."""
    found: Tensor = _Gram.apply(features)
    return found


def relative(found: Tensor, target: Tensor) -> Tensor:
    """Square the distance to a target, over the target's square. Shapes: (n, ...), (n or 1, ...); returns (n,)."""
    found, target = found.float().flatten(1), target.float().flatten(1)
    return (found - target).square().sum(1) / target.square().sum(1).clamp_min(_LEAST)


def style(features: Mapping[str, Tensor], grams: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Average the distances of Gram matrices over layers. Shapes: (n, c, h, w) and (1, c, c) each; returns (n,)."""
    terms = [weight * relative(gram(features[name]), grams[name]) for name, weight in weights.items()]
    return torch.stack(terms).sum(0) / sum(weights.values())


def direction(features: Tensor) -> Tensor:
    """Scale features to unit length: products of such tell how alike images are. Shapes: (n, ...); returns (n, d)."""
    return normalize(features.float().flatten(1))


def alikeness(looks: Tensor, mean: Tensor, most: float) -> Tensor:
    """Tell by how much looks are more like the mean of all than they may be. Shapes: (n, d), (d,); returns (n,)."""
    return (looks @ mean - most).clamp_min(0)


def total_variation(images: Tensor) -> Tensor:
    """Square the steps between neighbours, on average: noise has many. Shapes: (n, c, h, w); returns (n,)."""
    down, right = images.diff(dim=2).square(), images.diff(dim=3).square()
    return down.flatten(1).mean(1) + right.flatten(1).mean(1)
