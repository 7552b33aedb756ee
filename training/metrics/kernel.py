"""The kernel distance: a squared maximum mean discrepancy, unbiased at any number of samples."""

import torch
from torch import Tensor

_CHUNK = 1024


def distance(a: Tensor, b: Tensor) -> float:
    """Return the unbiased MMD^2 under the kernel (x.y / d + 1)^3, over all pairs. It can be negative.

    Shapes: (n, d) and (m, d), n and m at least 2. Its expectation equals that of the usual mean over subsets.
    Source: Binkowski et al. 2018, eq. 4.
    """
    within_a = (_kernel_sum(a, a) - _diagonal_sum(a)) / (len(a) * (len(a) - 1))
    within_b = (_kernel_sum(b, b) - _diagonal_sum(b)) / (len(b) * (len(b) - 1))
    return within_a + within_b - 2 * _kernel_sum(a, b) / (len(a) * len(b))


def _kernel_sum(a: Tensor, b: Tensor) -> float:
    return sum(_cubed_sum(rows @ b.T, a.shape[1]) for rows in torch.split(a, _CHUNK))


def _diagonal_sum(a: Tensor) -> float:
    return _cubed_sum(a.square().sum(dim=1), a.shape[1])


def _cubed_sum(products: Tensor, dim: int) -> float:
    # In place, because the products are temporary and large.
    return float(products.div_(dim).add_(1).pow_(3).sum(dtype=torch.float64))
