"""Builds the report of a dataset from its specification and its shards."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from models.image_hash import count_close_pairs
from worker.archive.candidate_counts import CandidateCounts, count_candidates
from worker.archive.curation import describe_curation
from worker.archive.report import (
    ClassImages,
    Copies,
    Duplicates,
    Gate,
    Images,
    Indices,
    ModelReport,
    Rejected,
    Report,
    Request,
    Scores,
    Yield,
)
from worker.contracts.catalog import ModelFacts
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import BEST_SCORE, COPY_BITS, Selection
from worker.contracts.wilson import wilson_interval

CLOSE_BITS = 3
"""Two images whose hashes differ in at most this many bits count as a close pair."""
_COMPARED_IMAGES = 4000
"""Number of images that are searched for close pairs. It limits the time of the search."""
_DIGITS = 6
"""Digits of a share after the point."""


def describe_dataset(spec: JobSpec, shards: Sequence[ChosenShard]) -> Report:
    """Return the report of a complete dataset."""
    facts = spec.facts or ModelFacts(model_sha256=spec.model.sha256)
    selection = spec.selection or Selection()
    counts = count_candidates(spec, selection, shards) if spec.selection else None
    return Report(
        archive_version=spec.archive_version,
        numerics=spec.model.numerics.name,
        request=_request(spec, selection),
        indices=_indices(spec, counts),
        images=_images(spec, facts, counts),
        yield_=_yield(counts) if counts and selection.has_rules else None,
        rejected=_rejected(counts) if counts and selection.has_rules else None,
        gate=_gate(selection, facts),
        duplicates=_duplicates(shards, facts),
        copies=Copies(bits=COPY_BITS, dropped=counts.copies) if counts and selection.drops_copies else None,
        scores=_scores(shards),
        curation=describe_curation(spec, selection, shards),
        model=_model(spec, facts),
    )


def _request(spec: JobSpec, selection: Selection) -> Request:
    shares = {name: share for name, share in zip(spec.classes, spec.shares, strict=False) if share}
    return Request(
        model=spec.model.sha256,
        seed=spec.seed,
        start=spec.first,
        n=spec.n,
        class_label=spec.class_label,
        shares=shares or None,
        keep=selection.keep / BEST_SCORE if selection.keep < BEST_SCORE else None,
        copies="drop" if selection.drops_copies else "keep",
        distinct=selection.distinct,
        format=spec.format,
        layout=spec.packing,
        marking=spec.marking,
        style=spec.style,
        around=spec.around,
        between=spec.between,
    )


def _indices(spec: JobSpec, counts: CandidateCounts | None) -> Indices:
    end = counts.next_index if counts else spec.first + spec.n
    return Indices(first=spec.first, last=end - 1, next_start=end)


def _images(spec: JobSpec, facts: ModelFacts, counts: CandidateCounts | None) -> Images:
    kept = spec.quotas()
    tried = counts.tried if counts else kept
    names = spec.classes
    known_counts = facts.class_counts if len(facts.class_counts) == len(names) else (None,) * len(names)
    known_yields = facts.class_yields if len(facts.class_yields) == len(names) else (None,) * len(names)
    by_class = {
        name: ClassImages(kept=kept[k], tried=tried[k], training_images=known_counts[k], model_yield=known_yields[k])
        for k, name in enumerate(names)
        if spec.class_shares[k]
    }
    return Images(kept=sum(kept), tried=sum(tried), by_class=by_class)


def _yield(counts: CandidateCounts) -> Yield:
    kept, tried = sum(counts.kept), sum(counts.tried)
    low, high = wilson_interval(kept, tried)
    return Yield(value=round(kept / tried, _DIGITS), low=round(low, _DIGITS), high=round(high, _DIGITS))


def _rejected(counts: CandidateCounts) -> Rejected:
    return Rejected(below_score=counts.below_score, copies=counts.copies, near_duplicates=counts.near_duplicates)


def _gate(selection: Selection, facts: ModelFacts) -> Gate | None:
    if selection.gate is None:
        return None
    share = selection.keep / BEST_SCORE
    nearest = min(facts.effects, key=lambda effect: abs(effect.keep - share), default=None)
    without_gate = next((effect for effect in facts.effects if effect.keep == 1), None)
    return Gate(sha256=selection.gate, least_score=selection.least_score, without_gate=without_gate, nearest=nearest)


def _duplicates(shards: Iterable[ChosenShard], facts: ModelFacts) -> Duplicates:
    found = (int(shard.index.images.hashes[row], 16) for shard in shards for _, row in shard.images())
    hashes = np.fromiter(islice(found, _COMPARED_IMAGES), dtype=np.uint64)
    pairs = len(hashes) * (len(hashes) - 1) // 2
    share = facts.close_real_pairs
    return Duplicates(
        images=len(hashes),
        bits=CLOSE_BITS,
        pairs=pairs,
        close_pairs=count_close_pairs(hashes, CLOSE_BITS),
        expected_close_pairs_of_training_images=None if share is None else round(pairs * share, _DIGITS),
    )


def _scores(shards: Iterable[ChosenShard]) -> Scores | None:
    found = [
        candidates.scores[candidates.stored[row]]
        for shard in shards
        if (candidates := shard.index.candidates) is not None and candidates.scores
        for _, row in shard.images()
    ]
    if not found:
        return None
    found.sort()
    last = len(found) - 1
    least, quarter, median, three_quarters, most = (found[last * k // 4] for k in range(5))
    return Scores(least=least, quarter=quarter, median=median, three_quarters=three_quarters, most=most)


def _model(spec: JobSpec, facts: ModelFacts) -> ModelReport:
    model = spec.model
    return ModelReport(
        name=model.name,
        sha256=model.sha256,
        resolution=model.resolution,
        classes=spec.classes,
        training_data=model.data,
        licence=model.licence,
        metrics=model.metrics,
        judge=facts.judge or None,
    )
