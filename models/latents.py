"""Index-addressed latents: a (seed, index) gives the same z in every batch, order and process."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from models.errors import LatentError

MAX_SEED = 2**53 - 1
"""Largest seed: the largest integer that every JSON parser reads exactly."""
MAX_INDEX = 2**53 - 1
"""Largest image index, for the same reason."""

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def sample(dim: int, seed: int, indices: Sequence[int]) -> Tensor:
    """Draw standard-normal latents, one row per index.

    Row k is a pure function of (dim prefix, seed, indices[k]): Philox4x32-10 with key = seed and
    counter = (block, 0, index low, index high) yields four words per block of four values; each pair of words
    (a, b) becomes r cos t, r sin t with r = sqrt(-2 ln((a + 1/2) / 2^32)), t = 2 pi (b + 1/2) / 2^32, in double
    precision, rounded once to float32. A longer latent starts with the shorter one.

    Shapes: returns (len(indices), dim) float32 on the CPU.
    Raises LatentError for a seed, an index or a dimension out of range.
    Source: Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"; Box and Muller 1958.
    """
    _check(dim, seed, indices)
    index = torch.tensor(indices, dtype=torch.int64).unsqueeze(1)
    block = torch.arange(math.ceil(dim / 4), dtype=torch.int64).unsqueeze(0)
    zero = torch.zeros_like(index + block)
    # Adding zeros gives all four words the shape (indices, blocks).
    counter = (zero + block, zero, zero + (index & _WORD), zero + (index >> 32))
    words = torch.stack(philox4x32(counter, (seed & _WORD, seed >> 32)), dim=-1)
    return _normals(words).flatten(1)[:, :dim].float().contiguous()


def philox4x32(counter: Sequence[Tensor], key: tuple[int, int]) -> list[Tensor]:
    """Encrypt a four-word counter with ten Philox rounds.

    Shapes: four int64 tensors of one shape, each holding a 32-bit word, in and out.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        high0, low0 = _multiply(c0, _MULTIPLIERS[0])
        high1, low1 = _multiply(c2, _MULTIPLIERS[1])
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + _WEYL[0]) & _WORD, (k1 + _WEYL[1]) & _WORD
    return [c0, c1, c2, c3]


def _multiply(word: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    # torch has no unsigned 64-bit product. The signed one wraps around, but its 64 bits are the same.
    product = word * factor
    return (product >> 32) & _WORD, product & _WORD


def _normals(words: Tensor) -> Tensor:
    # The half keeps the logarithm's argument above 0 and the angle off the axes.
    uniform = (words.double() + 0.5) / 2**32
    radius = (-2 * uniform[..., 0::2].contiguous().log()).sqrt()
    angle = 2 * math.pi * uniform[..., 1::2].contiguous()
    pairs = torch.stack((radius * angle.cos(), radius * angle.sin()), dim=-1)
    return pairs.flatten(-2)


def _check(dim: int, seed: int, indices: Sequence[int]) -> None:
    if dim < 1:
        raise LatentError(f"a latent needs at least 1 dimension, got {dim}")
    if not 0 <= seed <= MAX_SEED:
        raise LatentError(f"a seed lies in 0..{MAX_SEED}, got {seed}")
    if indices and not 0 <= min(indices) <= max(indices) <= MAX_INDEX:
        raise LatentError(f"an index lies in 0..{MAX_INDEX}, got {min(indices)}..{max(indices)}")
