"""The losses of style transfer: pure functions with one value for each image, independent of the other images.

Source: Gatys et al. 2016. Each term is divided by the square of its target, so that a weight means the same for every
layer, picture and size.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.functional import normalize

_MIN_DIVISOR = 1e-12
"""Lower bound of a divisor, for targets that are zero."""


class _Gram(Function):
    """The product of a matrix with its transpose. The custom gradient needs one matrix product instead of two."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor) -> Tensor:
        # Channels last, like the memory layout of the convolutions' outputs, so that flatten copies nothing.
        flat = features.permute(0, 2, 3, 1).flatten(1, 2)
        ctx.save_for_backward(flat)
        ctx.shape = features.shape  # type: ignore[attr-defined]
        return (flat.mT @ flat).to(torch.promote_types(features.dtype, torch.float32)) / flat[0].numel()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        (flat,) = ctx.saved_tensors  # type: ignore[attr-defined]
        n, c, h, w = ctx.shape  # type: ignore[attr-defined]
        symmetric = (gradient + gradient.mT) / flat[0].numel()
        gradient_of_flat: Tensor = flat @ symmetric.to(flat.dtype)
        return gradient_of_flat.view(n, h, w, c).permute(0, 3, 1, 2)


def gram(features: Tensor) -> Tensor:
    """Return the Gram matrix of each image's channels. Shapes: (n, c, h, w); returns (n, c, c), at least float32."""
    grams: Tensor = _Gram.apply(features)
    return grams


def relative(features: Tensor, target: Tensor) -> Tensor:
    """Return the squared distance to a target, divided by the target's square.

    Shapes: (n, ...), (n or 1, ...); returns (n,).
    """
    features, target = features.float().flatten(1), target.float().flatten(1)
    return (features - target).square().sum(1) / target.square().sum(1).clamp_min(_MIN_DIVISOR)


def style(features: Mapping[str, Tensor], grams: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Return the weighted mean distance of Gram matrices over layers.

    Shapes: (n, c, h, w) and (1, c, c) for each layer; returns (n,).
    """
    terms = [weight * relative(gram(features[name]), grams[name]) for name, weight in weights.items()]
    return torch.stack(terms).sum(0) / sum(weights.values())


def unit_features(features: Tensor) -> Tensor:
    """Return features scaled to unit length; their dot product is a cosine similarity.

    Shapes: (n, ...); returns (n, d).
    """
    return normalize(features.float().flatten(1))


def excess_similarity(features: Tensor, mean: Tensor, max_similarity: float) -> Tensor:
    """Return by how much the similarity to the mean exceeds a limit. Shapes: (n, d), (d,); returns (n,)."""
    return (features @ mean - max_similarity).clamp_min(0)


def total_variation(images: Tensor) -> Tensor:
    """Return the mean squared difference of neighbouring pixels. Shapes: (n, c, h, w); returns (n,)."""
    down, right = images.diff(dim=2).square(), images.diff(dim=3).square()
    return down.flatten(1).mean(1) + right.flatten(1).mean(1)
