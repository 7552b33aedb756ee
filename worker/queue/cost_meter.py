"""Keeps the costs of a worker's images up to date: each shard corrects the figures of the sample."""

import math
from collections.abc import Sequence

from worker.contracts.catalog import Sha256
from worker.contracts.costs import ModelCosts, WorkerCosts
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec
from worker.rendering.candidate import Candidate
from worker.style.stylizer import GROUP_SIZE

_MIN_IMAGES = 64
"""Smallest number of images of a shard that counts. In smaller ones, threads are idle."""
_WEIGHT = 0.5
"""Weight of the newest shard. Times are averaged geometrically."""


class CostMeter:
    """Costs of the images of all models of one worker. Thread-safe: each change replaces the figures of one model."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._models = dict[Sha256, ModelCosts]()

    @property
    def costs(self) -> WorkerCosts:
        """The newest figures."""
        return WorkerCosts(threads=self._threads, models=dict(self._models))

    def add(self, model_sha256: Sha256, costs: ModelCosts) -> None:
        """Set the figures of a model's sample."""
        self._models[model_sha256] = costs

    def record_shard(self, spec: JobSpec, candidates: Sequence[Candidate], seconds: float) -> None:
        """Correct the figures by the time of a shard."""
        costs = self._models.get(spec.model.sha256)
        if costs is None:
            return
        if spec.style is not None and spec.style.mode == "standard":
            together = GROUP_SIZE * self._threads
            images = together * math.ceil(len(candidates) / together)  # fewer images leave threads idle
            self._replace(spec.model.sha256, costs, styling_seconds=seconds / (images * spec.style.steps))
        elif len(candidates) >= _MIN_IMAGES:
            drawn = sum(candidate.image is not None for candidate in candidates)
            scoring = costs.candidate_seconds if spec.selection and spec.selection.gate else None
            expected = drawn * costs.image_seconds[spec.format] + len(candidates) * (scoring or 0.0)
            factor = (seconds / expected) ** _WEIGHT
            image_seconds = {**costs.image_seconds, spec.format: costs.image_seconds[spec.format] * factor}
            scored = costs.candidate_seconds if scoring is None else scoring * factor
            self._replace(spec.model.sha256, costs, image_seconds=image_seconds, candidate_seconds=scored)

    def record_learning(self, model_sha256: Sha256, style: StyleSpec, share: float, seconds: float) -> None:
        """Set the time of a step of learning a style, by a share of the steps that took so many seconds."""
        costs = self._models.get(model_sha256)
        if costs is not None and share > 0:
            self._replace(model_sha256, costs, learning_seconds=seconds / (share * style.steps))

    def _replace(self, sha256: Sha256, costs: ModelCosts, **changes: object) -> None:
        self._models[sha256] = costs.model_copy(update=changes)
