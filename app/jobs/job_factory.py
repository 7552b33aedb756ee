"""Orders: from what somebody wants to the job that makes it."""

import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from statistics import median

from app.cluster.model_catalog import Models, weights_of
from app.errors import join_names, quote_value, unprocessable
from app.schemas import MAX_SEED, ImageRequest
from app.styles.style_service import StyleService
from worker.contracts.catalog import CatalogEntry, WorkerEntry
from worker.contracts.jobs import LAYOUT, Cut, JobSpec
from worker.contracts.styles import StyleSpec

_SHARD_SECONDS = 1.0
_UNMEASURED_SHARD = 256
"""Images in a grown shard before any worker has measured its speed."""
_MOST_SHARD_BYTES = 1 << 28
"""Of pixels: a shard is held in memory."""


class JobFactory:
    """Specifies jobs; raises ApiError for what cannot be made."""

    def __init__(self, models: Models, styles: StyleService, shard_images: int | None) -> None:
        self._models = models
        self._styles = styles
        self._shard_images = shard_images

    def spec(self, wanted: ImageRequest, owner: str, unknown: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY) -> JobSpec:
        """Write down the job of an owner; `unknown` is the status where there is no such model."""
        model, workers = self._models.choose(wanted.model, unknown)
        label = wanted.class_label
        if label is not None and label not in model.classes:
            known = (
                f"one of {join_names(model.classes)}" if model.classes else f"left out, as {model.name} has no classes"
            )
            raise unprocessable("unknown_class", f"class: must be {known}, got {quote_value(label)}")
        style = wanted.style_spec and self._told(wanted.style_spec, owner, workers)
        return JobSpec(
            id=secrets.token_urlsafe(16),
            model=model,
            class_label=label,
            n=wanted.n,
            seed=secrets.randbelow(MAX_SEED + 1) if wanted.seed is None else wanted.seed,
            first=wanted.start,
            format=wanted.format,
            layout=LAYOUT,
            style=style,
            cut=_cut_styled(model) if style and style.mode == "standard" else self._cut(model, workers),
            owner=owner,
            created=datetime.now(UTC),
        )

    def _told(self, style: StyleSpec, owner: str, workers: list[WorkerEntry]) -> StyleSpec:
        """Check a style, and write down by which weights it is told."""
        self._styles.check(owner, style.id)
        return style.model_copy(update={"weights": weights_of(workers)})

    def _cut(self, model: CatalogEntry, workers: list[WorkerEntry]) -> Cut:
        """Cut a job so that a grown shard is about a second of work for one of its workers."""
        first = model.numerics.batch_size
        speeds = [worker.images_per_s for worker in workers if worker.images_per_s is not None]
        wanted = self._shard_images or (median(speeds) * _SHARD_SECONDS if speeds else _UNMEASURED_SHARD)
        most = _MOST_SHARD_BYTES // (3 * model.resolution**2)
        return Cut(first=first, most=max(1, round(min(wanted, most) / first)) * first)


def _cut_styled(model: CatalogEntry) -> Cut:
    """Cut a job of images that are optimised into single batches: each takes seconds."""
    return Cut(first=model.numerics.batch_size, most=model.numerics.batch_size)
