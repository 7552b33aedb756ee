"""Names how this machine's CPU computes, as the bytes of images and the losses depend on it."""

from collections.abc import Iterator

import torch

_UNITS = ("amx_bf16", "avx512_bf16", "bf16", "avx512_f", "avx2")
"""Features of a CPU that choose among the kernels of the tensor library; the first one is the fastest."""


def name(numerics: str) -> str:
    """Name a kind of CPU beside a service's numerics, for a snapshot."""
    return f"{numerics}-{next(_units(), 'baseline')}"


def _units() -> Iterator[str]:
    found = torch.cpu.get_capabilities()
    return (unit for unit in _UNITS if found.get(unit))
