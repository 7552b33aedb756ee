"""Writes the sliders of a checkpoint beside it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from models import atomic_file
from models.checkpoint import load_generator
from models.sliders import Sliders, sliders_path
from training.sliders.fit import fit_sliders


def write_sliders(
    checkpoint: Path, device: torch.device, progress: Callable[[int, int], None] = lambda _n, _of: None
) -> Sliders:
    """Fit the sliders of a checkpoint, and write NAME.sliders.json beside it. Returns the sliders."""
    header, generator = load_generator(checkpoint)
    sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    found = fit_sliders(header, generator.to(device).eval(), sha256, progress)
    atomic_file.write(sliders_path(checkpoint), found.model_dump_json().encode() + b"\n")
    return found
