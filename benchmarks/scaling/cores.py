"""Measures the CPU work of a worker for each image, which the simulation leaves out."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.scaling.simulated import NUMERICS, SimulatedModel
from models import checkpoint, latents, registry
from worker.rendering import encoding

_BATCHES = 8
_TRIALS = 3


@dataclass(frozen=True)
class Cores:
    """Seconds of one core for one image."""

    latents_s: float
    encoding_s: float


def measure(model: str) -> Cores:
    """Draw latents, and encode images as PNG, on one core."""
    torch.set_num_threads(1)
    path, images = registry.find(model), _BATCHES * NUMERICS.batch_size
    header, ready = checkpoint.read_header(path), SimulatedModel(path, None).images
    drawn = _seconds(lambda: latents.sample(header.latent_dim, 0, range(images)))
    encoded = _seconds(lambda: [encoding.encode(ready, "png") for _ in range(_BATCHES)])
    return Cores(drawn / images, encoded / images)


def _seconds(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return min(once() for _ in range(_TRIALS))
