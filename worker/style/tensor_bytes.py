"""Tensors as bytes for the store: safetensors with a digest, so that damage is detected."""

import hashlib
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

_DIGEST_KEY = "sha256"

Tensors = Mapping[str, Tensor]


def serialise(tensors: Tensors) -> bytes:
    """Serialise tensors as safetensors, with a digest."""
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save({**on_cpu, _DIGEST_KEY: _digest(on_cpu)})


def deserialise(data: bytes | None) -> dict[str, Tensor] | None:
    """Deserialise tensors; None if there are no data, or the digest does not match."""
    try:
        tensors = load(data or b"")
    except SafetensorError:
        return None
    digest = tensors.pop(_DIGEST_KEY, None)
    return tensors if digest is not None and torch.equal(digest, _digest(tensors)) else None


def _digest(tensors: Tensors) -> Tensor:
    """Return the sha256 of names, shapes and values as a tensor, since safetensors stores only tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8)
