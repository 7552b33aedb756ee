"""Keeps the costs of a worker's images up to date: its shards correct the figures of the sample."""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from statistics import median

from worker.contracts.catalog import Sha256
from worker.contracts.costs import ModelCosts, WorkerCosts
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec
from worker.rendering.candidate import Candidate

_MIN_SECONDS = 0.2
"""Shortest time of a shard that counts. At the beginning and the end of a shard, threads are idle."""
_LAST_SHARDS = 5
"""Number of shards whose median counts, so that one slow shard changes little."""


class CostMeter:
    """Costs of the images of all models of one worker. One thread records, others may read and add."""

    def __init__(self, threads: int, styled_together: int = 1) -> None:
        """`styled_together` is the number of images that the worker styles at once."""
        self._threads = threads
        self._styled_together = styled_together
        self._samples = dict[Sha256, ModelCosts]()
        self._models = dict[Sha256, ModelCosts]()
        self._ratios = defaultdict[tuple[Sha256, Format], deque[float]](lambda: deque([1.0], _LAST_SHARDS))
        """Times of the last shards, as shares of those that the sample promises. The sample counts as a shard."""

    @property
    def costs(self) -> WorkerCosts:
        """The newest figures."""
        return WorkerCosts(threads=self._threads, styled_together=self._styled_together, models=dict(self._models))

    def add(self, model_sha256: Sha256, sample: ModelCosts) -> None:
        """Set the figures of a model's sample."""
        self._samples[model_sha256] = self._models[model_sha256] = sample

    def record_shard(self, spec: JobSpec, candidates: Sequence[Candidate], seconds: float) -> None:
        """Correct the figures by the time of a shard."""
        sha256, sample = spec.model.sha256, self._samples.get(spec.model.sha256)
        if sample is None:
            return
        if spec.style is not None and spec.style.mode == "standard":
            together = self._styled_together
            images = together * math.ceil(len(candidates) / together)  # fewer images leave threads idle
            self._replace(sha256, styling_seconds=seconds / (images * spec.style.steps))
            return
        drawn = sum(candidate.image is not None for candidate in candidates)
        # A gate that rejects most of a batch leaves too little to draw at once, so it says nothing about other jobs.
        if seconds >= _MIN_SECONDS and 2 * drawn >= len(candidates):
            scoring = sample.candidate_seconds if spec.scores_images else None
            known = sample.image_seconds[spec.format]
            expected = drawn * known + len(candidates) * (scoring or 0.0)
            ratios = self._ratios[sha256, spec.format]
            ratios.append(seconds / expected)
            image_seconds = {**self._models[sha256].image_seconds, spec.format: known * median(ratios)}
            self._replace(sha256, image_seconds=image_seconds)

    def record_learning(self, model_sha256: Sha256, style: StyleSpec, share: float, seconds: float) -> None:
        """Set the time of a step of learning a style, by a share of the steps that took so many seconds."""
        if model_sha256 in self._models and share > 0:
            self._replace(model_sha256, learning_seconds=seconds / (share * style.steps))

    def _replace(self, sha256: Sha256, **changes: object) -> None:
        self._models[sha256] = self._models[sha256].model_copy(update=changes)
