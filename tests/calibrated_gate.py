"""A quality gate with random weights whose quantiles are those of its model's own images, as those of a real gate."""

import hashlib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import torch

from models.image_hash import image_hashes
from models.precision import fastest_dtype
from models.quality_gate import QUANTILES, QualityGate, gate_path, save_gate
from tests.gates import gate_header, random_gate
from worker.rendering.engine import RenderEngine

CPU = torch.device("cpu")
_SEED = 0
COPIED = (31, range(5, 8))
"""Seed and indices of images whose hashes count as hashes of training images, so that there are copies."""


def save_calibrated_gate(checkpoint: Path, images: int = 240) -> Path:
    """Save a gate beside a checkpoint, and return its path. Its quantiles are those of some images of the model."""
    engine = RenderEngine([checkpoint], CPU)
    (entry,) = engine.entries
    model = engine.model(entry)
    labels = len(entry.classes)

    def batches(seed: int, stop: int) -> Iterator[tuple[torch.Tensor, list[int]]]:
        for start in range(0, stop, model.batch_size):
            batch = range(start, start + model.batch_size)
            yield model.latents(seed, batch), model.labels(batch)

    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    channels = model.grid_channels
    gate = random_gate(gate_header(entry.name, entry.classes, entry.resolution, channels, model_sha256=digest))
    network = deepcopy(gate.network).to(fastest_dtype(CPU))
    with torch.inference_mode():
        raw = torch.cat([network(model.grids(*batch)) for batch in batches(_SEED, images)])[:images]
    rows = [raw[row :: labels or 1] for row in range(labels or 1)]
    steps = torch.linspace(0, 1, QUANTILES)
    quantiles = tuple(tuple(torch.quantile(row, steps).tolist()) for row in rows)
    seed, copied = COPIED
    (rendered,) = (model.render(*batch) for batch in batches(seed, copied.stop))
    hashes = image_hashes(rendered[copied.start : copied.stop].permute(0, 2, 3, 1).numpy())
    header = gate.header.model_copy(update={"quantiles": quantiles})
    save_gate(gate_path(checkpoint), QualityGate(header, gate.network, hashes))
    return gate_path(checkpoint)
