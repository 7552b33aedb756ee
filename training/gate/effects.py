"""Measures a gate with new images: its effect at several shares, and its agreement with its teacher."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.quality_gate import GateAgreement, GateEffect, Quantiles, interpolate
from training.gate import calibration, rank, teacher
from training.gate.candidates import CandidateSource, Use
from training.gate.judge import Judge
from training.gate.selection import KeptSet, quotas, take_chunk
from training.metrics.features import Extractor

KEEP_SHARES = (1.0, 0.9, 0.7, 0.5, 0.35, 0.2)
_MOST_CANDIDATES = 10
"""Most candidates for each image that is kept. The lowest share needs 5."""


class Kept(NamedTuple):
    """Images that were kept at one share or at several. Rows of the tensors are images."""

    rows: Mapping[float, Tensor]
    """For each keep share, the rows of its images."""
    raw_scores: Tensor
    labels: Tensor
    features: Mapping[str, Tensor]
    """Features by the name of their network. Shapes: (n, d)."""


@dataclass(frozen=True)
class Selector:
    """A calibrated gate that chooses among the candidates of its generator."""

    network: nn.Module
    """The network in the number format of workers."""
    quantiles: Quantiles
    source: CandidateSource

    def select(self, labels: Tensor, extractors: Sequence[Extractor], progress: Callable[[int], None]) -> Kept:
        """Keep images with these labels at every share. `progress` receives the number of kept images of all shares.

        Shapes: labels (n,), the labels of n images, in a random order.
        """
        wanted = quotas(labels, self.source.classes)
        sets = [KeptSet(keep, wanted) for keep in KEEP_SHARES]
        numbers, scores, features = [], [], {extractor.name: list[Tensor]() for extractor in extractors}
        stream, first = labels.repeat(_MOST_CANDIDATES), 0
        for chunk in self.source.grids(Use.JUDGING, stream):
            raw = calibration.raw_scores(self.network, chunk.grids)
            rows = take_chunk(sets, first, chunk.labels, interpolate(self.quantiles, raw, chunk.labels.tolist()))
            numbers += [first + row for row in rows]
            scores.append(raw[rows])
            if rows:
                images = self.source.draw(chunk.grids[rows])
                for extractor in extractors:
                    features[extractor.name].append(extractor(images))
            first += len(chunk.labels)
            progress(sum(len(each.rows) for each in sets))
            if all(each.is_full for each in sets):
                break
        row_of = {number: row for row, number in enumerate(numbers)}
        return Kept(
            rows={each.keep: torch.tensor([row_of[number] for number in each.rows]) for each in sets},
            raw_scores=torch.cat(scores),
            labels=stream[numbers],
            features={name: torch.cat(parts) for name, parts in features.items()},
        )


def judged_labels(labels: Tensor, classes: int, n: int) -> Tensor:
    """Return the labels of the images to keep, in the proportions of the real images.

    Shapes: labels (m,), -1 for none; returns (n,).
    """
    known = labels[labels >= 0] if classes else torch.zeros(1, dtype=torch.int64)
    known = known if len(known) else torch.arange(classes)
    return known[torch.arange(n) % len(known)]


def effects(judge: Judge, kept: Kept, extractor: str) -> tuple[GateEffect, ...]:
    """Measure the images of every keep share."""
    return tuple(judge.effect(keep, kept.features[extractor][rows]) for keep, rows in kept.rows.items())


def class_yields(judge: Judge, kept: Kept, extractor: str, classes: int) -> tuple[float, ...]:
    """Return the share of images of each class that pass for real without the gate; 0 for a class without images."""
    rows = kept.rows[1.0]
    passes, labels = judge.passes(kept.features[extractor][rows]), kept.labels[rows]
    per_class = (passes[labels == label].double() for label in range(max(1, classes)))
    return tuple(float(each.mean()) if len(each) else 0.0 for each in per_class)


def agreement(judge: Judge, teachers: Tensor, kept: Kept, extractor: str) -> GateAgreement:
    """Compare the order of the scores with that of the realism, class by class. Shapes: teachers (n, d)."""
    rows = kept.rows[1.0]
    features, raw, labels = kept.features[extractor][rows], kept.raw_scores[rows], kept.labels[rows]
    right, passes = judge.realism(features), judge.passes(features)
    taught = teacher.realism(features, teachers)
    return GateAgreement(
        spearman=rank.mean_over_classes(rank.spearman, raw, right, labels, 0.0),
        ceiling=rank.mean_over_classes(rank.spearman, taught, right, labels, 0.0),
        auc=rank.mean_over_classes(rank.auc, raw, passes, labels, 0.5),
    )
