"""Keeps the costs of a worker's images up to date: its shards correct the figures of the sample."""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from statistics import median

from worker.contracts.catalog import Sha256
from worker.contracts.costs import ModelCosts, WorkerCosts
from worker.contracts.jobs import Format, JobSpec
from worker.contracts.styles import StyleSpec
from worker.rendering.candidate import Candidate
from worker.style.stylizer import GROUP_SIZE

_MIN_IMAGES = 64
"""Smallest number of images of a shard that counts. In smaller ones, threads are idle."""
_LAST_SHARDS = 5
"""Number of shards whose median counts, so that one slow shard changes little."""

_Kind = Format | None
"""Format of images; None stands for the scores of the quality gate."""


class CostMeter:
    """Costs of the images of all models of one worker. One thread records, others may read and add."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._samples = dict[Sha256, ModelCosts]()
        self._models = dict[Sha256, ModelCosts]()
        self._ratios = defaultdict[tuple[Sha256, _Kind], deque[float]](lambda: deque([1.0], _LAST_SHARDS))
        """Times of the last shards, as shares of those that the sample promises. The sample counts as a shard."""

    @property
    def costs(self) -> WorkerCosts:
        """The newest figures."""
        return WorkerCosts(threads=self._threads, models=dict(self._models))

    def add(self, model_sha256: Sha256, sample: ModelCosts) -> None:
        """Set the figures of a model's sample."""
        self._samples[model_sha256] = self._models[model_sha256] = sample

    def record_shard(self, spec: JobSpec, candidates: Sequence[Candidate], seconds: float) -> None:
        """Correct the figures by the time of a shard."""
        sha256, sample = spec.model.sha256, self._samples.get(spec.model.sha256)
        if sample is None:
            return
        if spec.style is not None and spec.style.mode == "standard":
            together = GROUP_SIZE * self._threads
            images = together * math.ceil(len(candidates) / together)  # fewer images leave threads idle
            self._replace(sha256, styling_seconds=seconds / (images * spec.style.steps))
        elif len(candidates) >= _MIN_IMAGES:
            drawn = sum(candidate.image is not None for candidate in candidates)
            scoring = sample.candidate_seconds if spec.selection and spec.selection.gate else None
            expected = drawn * sample.image_seconds[spec.format] + len(candidates) * (scoring or 0.0)
            changed: list[_Kind] = [spec.format] if scoring is None else [spec.format, None]
            for kind in changed:
                self._ratios[sha256, kind].append(seconds / expected)
            self._correct(sha256, sample, spec.format)

    def record_learning(self, model_sha256: Sha256, style: StyleSpec, share: float, seconds: float) -> None:
        """Set the time of a step of learning a style, by a share of the steps that took so many seconds."""
        if model_sha256 in self._models and share > 0:
            self._replace(model_sha256, learning_seconds=seconds / (share * style.steps))

    def _correct(self, sha256: Sha256, sample: ModelCosts, kind: Format) -> None:
        seconds = sample.image_seconds[kind] * median(self._ratios[sha256, kind])
        known, scoring = self._models[sha256], sample.candidate_seconds
        self._replace(
            sha256,
            image_seconds={**known.image_seconds, kind: seconds},
            candidate_seconds=None if scoring is None else scoring * median(self._ratios[sha256, None]),
        )

    def _replace(self, sha256: Sha256, **changes: object) -> None:
        self._models[sha256] = self._models[sha256].model_copy(update=changes)
