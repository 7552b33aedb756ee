"""Builds the quality gate of a checkpoint: trains it, calibrates it and measures it."""

import hashlib
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models import checkpoint
from models.quality_gate import GateEffect, GateHeader, GateNetwork, QualityGate, Quantiles
from training.budget import Budget
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset
from training.gate import calibration, effects, reals, student, teacher
from training.gate.candidates import CandidateSource, Use, equal_labels
from training.gate.effects import Kept, Selector
from training.gate.judge import Judge
from training.gate.reals import RealParts
from training.gate.student import Lesson
from training.hardware import device_name
from training.metrics import efflite, evaluation, features, pixel_hashes, reference
from training.metrics.features import Extractor
from training.metrics.real_parts import ProgressFactory

_LEAST_DEVIATION = 1e-6
"""Least divisor, for features that are equal for all images."""


@dataclass(frozen=True)
class GatePlan:
    """The settings of a gate."""

    checkpoint: Path
    dataset: Path
    images: int
    """Number of the generator's images to learn from."""
    budget: Budget
    """Length of the training."""
    seed: int
    device: torch.device
    n: int
    """Number of images that are measured at each keep share."""
    vgg19: Path | None
    """Weights of the second feature network that judges; None for no second judgement."""


def build(plan: GatePlan, progress_for: ProgressFactory) -> QualityGate:
    """Train, calibrate and measure a gate. Raises MetricsError when checkpoint and dataset do not fit each other."""
    data, model = dataset_files.load(plan.dataset), checkpoint.read_header(plan.checkpoint)
    evaluation.check_fit(model, data.description)
    source = CandidateSource.load(plan.checkpoint, plan.seed, plan.device)
    extractor = features.load(efflite.NAME, plan.device)
    # Loaded before minutes of work, since the file may be a wrong one.
    second = features.load_vgg19(plan.vgg19, plan.device) if plan.vgg19 else None
    count = data.description.count
    known = reference.load_or_extract(data, extractor, plan.dataset, progress_for("real images", count))
    parts = reals.split(data, known, extractor)
    network = _train(plan, parts, source, extractor, progress_for)
    scorer = calibration.in_worker_precision(deepcopy(network), plan.device)
    quantiles = _calibrate(scorer, source, progress_for)
    selector = Selector(scorer, quantiles, source)
    labels = effects.judged_labels(parts.judge_labels, source.classes, plan.n)
    progress = progress_for("images to judge", len(effects.KEEP_SHARES) * len(labels))
    kept = selector.select(labels, [extractor, *([second] if second else [])], progress)
    hashes = pixel_hashes.hashes(data.images)
    header = GateHeader.model_validate(
        {
            **_origin(plan, model, data, source.generator.channels),
            "extractor": extractor.name,
            "quantiles": quantiles,
            **_figures(kept, parts, extractor, second, source.classes),
            "close_real_pairs": reals.close_share(hashes),
        }
    )
    return QualityGate(header, network, np.sort(hashes))


def _train(
    plan: GatePlan, parts: RealParts, source: CandidateSource, extractor: Extractor, progress_for: ProgressFactory
) -> GateNetwork:
    """Train a network with new images of the generator and their realism."""
    labels = equal_labels(-(-plan.images // max(1, source.classes)), source.classes)[: plan.images]
    progress, grids, found = progress_for("images to learn from", len(labels)), [], []
    for chunk in source.grids(Use.TRAINING, labels):
        grids.append(chunk.grids.cpu())
        found.append(extractor(source.draw(chunk.grids)))
        progress(sum(map(len, grids)))
    scores = teacher.realism(torch.cat(found), parts.teachers)
    trained = progress_for("training", 100)
    return student.train(
        Lesson(torch.cat(grids), labels, scores),
        plan.budget,
        plan.seed,
        plan.device,
        lambda spent: trained(round(100 * spent)),
    )


def _calibrate(scorer: nn.Module, source: CandidateSource, progress_for: ProgressFactory) -> Quantiles:
    """Compute the quantiles of the raw scores with new candidates of the generator, which are not drawn."""
    labels = equal_labels(calibration.images_per_class(source.classes), source.classes)
    progress = progress_for("images to calibrate with", len(labels))
    return calibration.calibrate(scorer, source.grids(Use.CALIBRATION, labels), source.classes, progress)


def _origin(plan: GatePlan, model: checkpoint.Header, data: Dataset, channels: int) -> dict[str, object]:
    """Return the fields of the header that name the checkpoint, the dataset and the machine."""
    return {
        "model_sha256": hashlib.sha256(plan.checkpoint.read_bytes()).hexdigest(),
        "model": model.name,
        "resolution": model.resolution,
        "channels": channels,
        "classes": model.classes,
        "data_sha256": data.description.sha256,
        "reals": data.description.count,
        "class_counts": reals.class_counts(data.labels, len(model.classes)),
        "versions": checkpoint.installed_versions(),
        "device": device_name(plan.device),
    }


def _figures(
    kept: Kept, parts: RealParts, extractor: Extractor, second: Extractor | None, classes: int
) -> dict[str, object]:
    """Return the fields of the header that are measured with the real images that judge."""
    judge = Judge(parts.judge_features)
    other = _second_effects(kept, parts, second) if second else ()
    return {
        "agreement": effects.agreement(judge, parts.teachers, kept, extractor.name),
        "class_yields": effects.class_yields(judge, kept, extractor.name, classes),
        "effects": effects.effects(judge, kept, extractor.name),
        "second_judge": other,
    }


def _second_effects(kept: Kept, parts: RealParts, second: Extractor) -> tuple[GateEffect, ...]:
    """Measure the effects with another feature network, whose features are standardised by those of the reals."""
    features = second(parts.judges)
    mean, deviation = features.mean(dim=0), features.std(dim=0).clamp(min=_LEAST_DEVIATION)
    fakes = {second.name: (kept.features[second.name] - mean) / deviation}
    return effects.effects(Judge((features - mean) / deviation), kept._replace(features=fakes), second.name)
