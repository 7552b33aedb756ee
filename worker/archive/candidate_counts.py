"""Counts of the candidates of a dataset: kept, tried, and rejected by each rule. The choice is not computed again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.contracts.choice import ChosenShard
from worker.contracts.class_cycle import class_cycle
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection


@dataclass(frozen=True)
class CandidateCounts:
    """The candidates of a dataset with a selection. Those of complete classes do not count."""

    kept: tuple[int, ...]
    """Number of images of each class. An unconditional model counts as one class."""
    tried: tuple[int, ...]
    """Number of candidates of each class up to its last image."""
    next_index: int
    """Index after the last image."""
    below_score: int
    """Number of tried candidates that the quality gate rejects."""
    copies: int
    """Number of tried candidates that were rejected as copies of training images."""
    excluded: int = 0
    """Number of tried candidates that the user has thrown out."""

    @property
    def near_duplicates(self) -> int:
        """Number of tried candidates that were rejected because they are near an earlier image."""
        return sum(self.tried) - sum(self.kept) - self.below_score - self.copies - self.excluded


def count_candidates(spec: JobSpec, selection: Selection, shards: Sequence[ChosenShard]) -> CandidateCounts:
    """Count the candidates of a complete dataset. They are all candidates of a class up to its last image."""
    classes = np.asarray(class_cycle(spec.class_shares or (1,)))
    ends = _ends(spec, shards, classes)
    tried, below_score, copies = np.zeros_like(ends), 0, 0
    for shard in shards:
        candidates = shard.index.candidates
        indices = np.asarray(shard.piece.indices[: candidates.count] if candidates else shard.piece.indices)
        labels = classes[indices % len(classes)]
        is_tried = indices < ends[labels]
        tried += np.bincount(labels[is_tried], minlength=len(ends))
        if candidates is None:  # the job of this shard has no selection
            continue
        if candidates.scores:
            scores = np.asarray(candidates.scores[: len(indices)])
            below_score += int(np.count_nonzero(is_tried & (scores < selection.least_score)))
        copies += sum(bool(is_tried[position]) for position in candidates.copies if position < len(indices))
    excluded = len(selection.excluded)
    return CandidateCounts(spec.quotas(), tuple(tried.tolist()), int(ends.max()), below_score, copies, excluded)


def _ends(spec: JobSpec, shards: Sequence[ChosenShard], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index after the last image of each class. Shapes: returns (number of classes,)."""
    quotas = spec.quotas()
    ends = np.full(len(quotas), spec.first)
    missing = {label for label, quota in enumerate(quotas) if quota}
    for shard in reversed(shards):
        if not missing:
            break
        indices = np.fromiter((index for index, _ in shard.images()), np.int64, shard.count)
        labels = classes[indices % len(classes)]
        last = np.full(len(quotas), spec.first)
        np.maximum.at(last, labels, indices + 1)
        found = missing & set(np.unique(labels).tolist())
        for label in found:
            ends[label] = last[label]
        missing -= found
    return ends
