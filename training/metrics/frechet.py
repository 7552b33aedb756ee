"""The Frechet distance between two feature sets, each approximated by a Gaussian."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

_CHUNK = 8192


@dataclass(frozen=True)
class Gaussian:
    """Mean and covariance of a feature set, in float64. Shapes: (d,) and (d, d)."""

    mean: Tensor
    covariance: Tensor

    @cached_property
    def root(self) -> Tensor:
        """The symmetric square root of the covariance."""
        values, vectors = torch.linalg.eigh(self.covariance)
        root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
        return root


def gaussian(features: Tensor) -> Gaussian:
    """Fit a Gaussian with the unbiased covariance, on the device of the features. Shapes: (n, d), n at least 2."""
    mean = features.mean(dim=0, dtype=torch.float64)
    covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64, device=features.device)
    # Chunks in float64 keep the memory small and the sums exact enough.
    for chunk in torch.split(features, _CHUNK):
        centred = chunk.double() - mean
        covariance.addmm_(centred.T, centred)
    return Gaussian(mean, covariance / (len(features) - 1))


def distance(a: Gaussian, b: Gaussian) -> float:
    """Return |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)).

    The last trace equals that of (C_a^(1/2) C_b C_a^(1/2))^(1/2). That matrix is symmetric, so its eigenvalues are real
    and quick to compute.
    Source: Heusel et al. 2017, eq. 6; Dowson and Landau 1982.
    """
    # Rounding can make the smallest eigenvalues slightly negative.
    cross = torch.linalg.eigvalsh(a.root @ b.covariance @ a.root).clamp(min=0).sqrt().sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * cross
    return max(0.0, float((a.mean - b.mean).square().sum() + spread))
