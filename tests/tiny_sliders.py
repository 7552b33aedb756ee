"""Sliders for tiny models, with random vectors."""

import hashlib
from pathlib import Path

import numpy as np

from models.sliders import Slider, Sliders, sliders_path

NAMES = ("brightness", "light: left", "direction 1")


def save_sliders(checkpoint: Path, latent_dim: int = 16, seed: int = 0) -> str:
    """Save sliders beside a checkpoint. Returns the SHA-256 of their file."""
    vectors = np.random.default_rng(seed).normal(size=(len(NAMES), latent_dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sliders = [
        Slider(name=name, kind="attribute", r2=0.5, r2_class=0, vector=tuple(vector), low=-3, high=3)
        for name, vector in zip(NAMES, vectors.tolist(), strict=True)
    ]
    model = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    data = Sliders(model=model, sliders=tuple(sliders)).model_dump_json().encode()
    sliders_path(checkpoint).write_bytes(data)
    return hashlib.sha256(data).hexdigest()
