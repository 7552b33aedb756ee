"""Quality gates with random weights, for tests."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import checkpoint, dcgan
from models.quality_gate import GateAgreement, GateEffect, GateHeader, GateNetwork, QualityGate, gate_path, save_gate

_EFFECT = GateEffect(keep=0.5, yield_=0.8, precision=0.5, density=0.4, coverage=0.3, recall=0.2, fd=40.0)


def gate_header(
    model: str = "tiny", classes: tuple[str, ...] = (), resolution: int = 32, channels: int = 64, **changes: Any
) -> GateHeader:
    """A header whose scores in per mille are 1000 times the raw scores."""
    rows = max(1, len(classes))
    whole = {
        "model_sha256": "a" * 64,
        "model": model,
        "resolution": resolution,
        "channels": channels,
        "classes": classes,
        "data_sha256": "b" * 64,
        "reals": 3 * rows,
        "class_counts": (3,) * rows,
        "extractor": "efflite0",
        "quantiles": (tuple(percent / 100 for percent in range(101)),) * rows,
        "agreement": GateAgreement(spearman=0.5, ceiling=0.7, auc=0.8),
        "class_yields": (0.7,) * rows,
        "effects": (_EFFECT,),
        "second_judge": (),
        "close_real_pairs": 0.0,
        "versions": checkpoint.installed_versions(),
        "device": "cpu",
    }
    return GateHeader.model_validate({**whole, **changes})


def random_gate(header: GateHeader) -> QualityGate:
    """A gate with random weights and three hashes of training images for each class."""
    torch.manual_seed(2)
    network = GateNetwork(header.channels, header.resolution).eval().requires_grad_(False)
    hashes = np.arange(sum(header.class_counts), dtype=np.uint64) + np.uint64(2**63 - 2)
    return QualityGate(header, network, hashes)


def save_random_gate(path: Path, **changes: Any) -> Path:
    """Save a gate with random weights beside a checkpoint, and return its path. `changes` are fields of its header."""
    made = checkpoint.read_header(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    channels = made.architecture.channels * 2 ** (dcgan.UPSAMPLINGS - 1)
    header = gate_header(made.name, made.classes, made.resolution, channels, model_sha256=digest, **changes)
    save_gate(gate_path(path), random_gate(header))
    return gate_path(path)
