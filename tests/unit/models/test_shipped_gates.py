"""The gates of the shipped models keep what they promise. Only the generators are needed, no data."""

import hashlib
from pathlib import Path

import pytest
import torch

from models import checkpoint, registry
from models.quality_gate import gate_path, load_gate, per_mille
from training.gate import calibration
from training.gate.candidates import CandidateSource, Use, equal_labels

MODELS = pytest.mark.parametrize("path", registry.zoo().values(), ids=lambda path: path.stem)
CPU = torch.device("cpu")
IMAGES = 5000
SEED = 20_301


@MODELS
def test_a_shipped_gate_belongs_to_its_checkpoint(path: Path) -> None:
    gate, header = load_gate(gate_path(path)), checkpoint.read_header(path)
    assert gate.header.model_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (gate.header.model, gate.header.resolution, gate.header.classes) == (
        header.name,
        header.resolution,
        header.classes,
    )
    assert sum(gate.header.class_counts) == gate.header.reals == len(gate.training_hashes) == header.data.images
    assert gate_path(path).stat().st_size < 1_000_000


@MODELS
def test_a_shipped_gate_raises_the_yield_by_both_judges(path: Path) -> None:
    header = load_gate(gate_path(path)).header
    for effects in (header.effects, header.second_judge):
        by_share = {effect.keep: effect for effect in effects}
        assert by_share[0.5].yield_ > by_share[1].yield_
        assert by_share[0.5].coverage >= by_share[1].coverage


@pytest.mark.slow
@MODELS
def test_a_shipped_gate_keeps_the_promised_share_of_a_new_seed(path: Path) -> None:
    gate, source = load_gate(gate_path(path)), CandidateSource.load(path, SEED, CPU)
    labels = equal_labels(IMAGES // source.classes, source.classes)
    network, scores = calibration.in_worker_precision(gate.network, CPU), list[int]()
    for chunk in source.grids(Use.JUDGING, labels):
        scores += per_mille(gate.header, calibration.raw_scores(network, chunk.grids), chunk.labels.tolist())
    for label, name in enumerate(gate.header.classes):
        of_class = torch.tensor(scores)[labels == label]
        for keep in (0.9, 0.5, 0.2):
            share = float((of_class >= 1000 - round(1000 * keep)).double().mean())
            # Standard errors of these images, and of the 5000 images of each class that set the threshold. Four of
            # them, because 39 shares are compared.
            error = (keep * (1 - keep) * (1 / len(of_class) + 1 / calibration.images_per_class(1))) ** 0.5
            assert abs(share - keep) < 4 * error, f"{name} at {keep}"
