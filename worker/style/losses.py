"""What style transfer minimises: pure functions, one number for each image, so that no image depends on another.

Source: Gatys et al. 2016. Each term is divided by the square of its target, so that weights mean the same for every
layer, picture and size.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

_LEAST = 1e-12
"""So that a target of nothing is not divided by."""


def gram(features: Tensor) -> Tensor:
    """Correlate the channels of each image. Shapes: (n, c, h, w); returns (n, c, c) float32."""
    flat = features.flatten(2).float()
    return flat @ flat.transpose(1, 2) / flat[0].numel()


def relative(found: Tensor, target: Tensor) -> Tensor:
    """Square the distance to a target, over the target's square. Shapes: (n, ...), (n or 1, ...); returns (n,)."""
    found, target = found.float().flatten(1), target.float().flatten(1)
    return (found - target).square().sum(1) / target.square().sum(1).clamp_min(_LEAST)


def style(features: Mapping[str, Tensor], grams: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Average the distances of Gram matrices over layers. Shapes: (n, c, h, w) and (1, c, c) each; returns (n,)."""
    terms = [weight * relative(gram(features[name]), grams[name]) for name, weight in weights.items()]
    return torch.stack(terms).sum(0) / sum(weights.values())


def total_variation(images: Tensor) -> Tensor:
    """Square the steps between neighbours, on average: noise has many. Shapes: (n, c, h, w); returns (n,)."""
    down, right = images.diff(dim=2).square(), images.diff(dim=3).square()
    return down.flatten(1).mean(1) + right.flatten(1).mean(1)
