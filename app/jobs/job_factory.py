"""Creates the specification of a job from a validated request."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from statistics import median

from app.cluster.model_catalog import ModelCatalog, check_version, chosen_gate, most_common_vgg19
from app.errors import ApiError
from app.jobs.requested_classes import check_class, requested_shares
from app.jobs.requested_point import requested_around, requested_class, requested_walk
from app.schemas.parameter_types import MAX_SEED
from app.schemas.requests import ImageRequest
from app.styles.style_service import StyleService
from worker.contracts.catalog import CatalogEntry, WorkerEntry
from worker.contracts.cut import Cut
from worker.contracts.formats import ARCHIVE_VERSION, ArchiveVersion, Marking
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec

_OLDEST_VERSION: ArchiveVersion = 2
"""The oldest version of new archives, for plain jobs while a worker of an old release is alive."""
_NEWEST_FIRST: tuple[ArchiveVersion, ...] = (4, 3, 2)
_FIRST_WITH_SELECTIONS: ArchiveVersion = 3
"""Version of archives that the first workers with selections and shares of classes announce."""
_FIRST_WITH_PACKINGS: ArchiveVersion = 4
"""Version of archives that the first workers with other layouts than imagefolder, and with points, announce."""
_FIRST_WITH_MARKS = 4
"""Version of archives that the first workers with marks announce."""
_TARGET_SHARD_SECONDS = 1.0
"""Target duration of a full-sized shard on one worker."""
_DEFAULT_SHARD_BATCHES = 16
"""Batches in a full-sized shard while no worker has measured its speed."""
_GPU_BATCH_SIZE, _FIRST_GPU_BATCHES = 256, 4
"""Batch size of workers on a GPU, and the batches of a job's first shard there."""
_MAX_SHARD_BYTES = 1 << 28
"""Limit of the uncompressed pixels of a shard, because a worker holds a whole shard in memory."""


class JobFactory:
    """Creates job specifications. Raises ApiError for requests that no worker can render."""

    def __init__(
        self, catalog: ModelCatalog, styles: StyleService, shard_images: int | None, marking: Marking = "none"
    ) -> None:
        self._catalog = catalog
        self._styles = styles
        self._shard_images = shard_images
        self._marking = marking

    def create_spec(
        self, request: ImageRequest, owner: str, unknown_status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> JobSpec:
        """Return the specification of a new job.

        `unknown_status` is the HTTP status of the error that is raised for an unknown model.
        """
        model, workers = self._catalog.choose(request.model, unknown_status)
        return self._create_spec(request, owner, model, workers)

    def draft_spec(self, request: ImageRequest, owner: str) -> tuple[JobSpec, ApiError | None]:
        """Return the specification of a job that is not created, and the error that `create_spec` would raise now.

        Raises ApiError if no worker, however equipped, could render the job.
        """
        try:
            return self.create_spec(request, owner), None
        except ApiError as error:
            if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            # As if all workers were restarting. It raises the same error again if no model is known.
            return self._create_spec(request, owner, self._catalog.find_entry(request.model), None), error

    def _create_spec(
        self, request: ImageRequest, owner: str, model: CatalogEntry, workers: list[WorkerEntry] | None
    ) -> JobSpec:
        """Return a specification. `workers` are those that can render the model; None leaves out all checks of them."""
        facts, class_label = self._catalog.facts(model), requested_class(request)
        check_class(model, class_label)
        around, between = requested_around(model, request, facts), requested_walk(model, request, facts)
        gate = chosen_gate(model, facts, workers or []) if request.needs_gate else None
        shares, selection = requested_shares(model, request), request.selection(gate)
        version = _common_version(workers or [], _first_version_for(request))
        style = request.style_spec and self._check_and_complete_style(request.style_spec, owner, workers)
        return JobSpec(
            id=secrets.token_urlsafe(16),
            model=model,
            class_label=class_label,
            shares=shares,
            n=request.n,
            seed=_chosen_seed(request),
            first=request.first,
            format=request.format,
            packing=request.packing,
            archive_version=version,
            marking="none" if request.format == "npz" or version < _FIRST_WITH_MARKS else self._marking,
            style=style,
            selection=selection,
            around=around,
            between=between,
            facts=facts if version > _OLDEST_VERSION else None,
            cut=_single_batch_cut(model)
            if style and style.mode == "standard"
            else choose_cut(model, workers or [], self._shard_images),
            owner=owner,
            created=datetime.now(UTC),
        )

    def check_style(self, spec: JobSpec) -> None:
        """Raise ApiError if the owner of a job has removed its style since."""
        if spec.style is not None:
            self._styles.require_for_repetition(spec.owner, spec.style.id)

    def _check_and_complete_style(self, style: StyleSpec, owner: str, workers: list[WorkerEntry] | None) -> StyleSpec:
        """Check that the owner has the style, and fix the VGG19 weights that the job uses."""
        self._styles.require(owner, style.id)
        return style if workers is None else style.model_copy(update={"weights": most_common_vgg19(workers)})


def _chosen_seed(request: ImageRequest) -> int:
    """Return the seed of a job. The frames of a walk have none, so that their addresses depend on the walk only."""
    if request.between is not None:
        return 0
    return secrets.randbelow(MAX_SEED + 1) if request.seed is None else request.seed


def choose_cut(model: CatalogEntry, workers: Sequence[WorkerEntry], shard_images: int | None) -> Cut:
    """Cut a job so that a full-sized shard takes one of its workers about a second.

    `shard_images` overrides the number of images of a full-sized shard.
    """
    batch = model.numerics.batch_size
    speeds = [worker.images_per_s for worker in workers if worker.images_per_s is not None]
    measured = median(speeds) * _TARGET_SHARD_SECONDS if speeds else _DEFAULT_SHARD_BATCHES * batch
    images = min(shard_images or measured, _MAX_SHARD_BYTES // (3 * model.resolution**2))
    # Shards are whole batches, because workers render aligned batches. The first shard is small, so that images come
    # soon. A GPU renders several of its large batches in the time that a CPU needs for one.
    most = max(1, round(images / batch)) * batch
    return Cut(first=min(most, batch * (_FIRST_GPU_BATCHES if batch >= _GPU_BATCH_SIZE else 1)), most=most)


def _first_version_for(request: ImageRequest) -> ArchiveVersion:
    """Return the first version whose workers can render a job."""
    if request.is_moved or request.packing != "imagefolder" or (request.format == "npz" and request.selects):
        return _FIRST_WITH_PACKINGS
    return _FIRST_WITH_SELECTIONS if request.selects or request.classes is not None else _OLDEST_VERSION


def _common_version(workers: list[WorkerEntry], least: ArchiveVersion) -> ArchiveVersion:
    """Return a version of archives that all workers know, so that older ones go on while a deployment is updated.

    It is at least `least`: workers that do not know that version leave the job to newer ones. Raises ApiError if there
    are none.
    """
    check_version(workers, least)
    known = min((worker.archive_version for worker in workers), default=ARCHIVE_VERSION)
    return next((version for version in _NEWEST_FIRST if least <= version <= known), least)


def _single_batch_cut(model: CatalogEntry) -> Cut:
    """Cut a job of optimised images into single batches, because each batch takes seconds."""
    return Cut(first=model.numerics.batch_size, most=model.numerics.batch_size)
