"""A quality gate with random weights whose quantiles are those of its model's own images, as those of a real gate."""

import hashlib
from pathlib import Path

import torch

from models.image_hash import image_hashes
from models.quality_gate import QUANTILES, QualityGate, gate_path, save_gate
from tests.gates import gate_header, random_gate
from worker.rendering.engine import RenderEngine

_SEED = 0
COPIED = (31, range(5, 8))
"""Seed and indices of images whose hashes count as hashes of training images, so that there are copies."""


def save_calibrated_gate(checkpoint: Path, images: int = 240) -> Path:
    """Save a gate beside a checkpoint, and return its path. Its quantiles are those of some images of the model."""
    engine = RenderEngine([checkpoint], torch.device("cpu"))
    (entry,) = engine.entries
    model = engine.model(entry)
    labels = len(entry.classes)

    def render(seed: int, indices: range) -> torch.Tensor:
        batches = [range(k, k + model.batch_size) for k in range(0, indices.stop, model.batch_size)]
        rendered = [model.render(model.latents(seed, batch), model.labels(batch)) for batch in batches]
        return torch.cat(rendered)[indices.start : indices.stop]

    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    gate = random_gate(gate_header(entry.name, entry.classes, entry.resolution, model_sha256=digest))
    raw = gate.network(render(_SEED, range(images)))
    rows = [raw[row :: labels or 1] for row in range(labels or 1)]
    steps = torch.linspace(0, 1, QUANTILES)
    quantiles = tuple(tuple(torch.quantile(row, steps).tolist()) for row in rows)
    hashes = image_hashes(render(*COPIED).permute(0, 2, 3, 1).numpy())
    header = gate.header.model_copy(update={"quantiles": quantiles})
    save_gate(gate_path(checkpoint), QualityGate(header, gate.network, hashes))
    return gate_path(checkpoint)
