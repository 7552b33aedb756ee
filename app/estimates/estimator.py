"""Estimates the costs of a job, and whether the service would accept it. Nothing is written."""

from collections.abc import Callable
from statistics import mean

from app.auth.api_keys import Caller
from app.auth.quota import Quota, Usage, check_limits
from app.cluster.cluster_state import ClusterState
from app.cluster.disk_space import DiskSpace
from app.cluster.job_bytes import bytes_left
from app.errors import ApiError
from app.estimates.archive_size import archive_size, mark_bytes
from app.estimates.expected_tries import expected_tries
from app.estimates.job_duration import UnknownDurationError, job_duration
from app.jobs.job_factory import JobFactory
from app.jobs.request_limits import check_size, check_ttl, most_images
from app.schemas.estimates import DiskEstimate, Estimate, EstimatedSeconds, Fits, QuotaEstimate, Range, Refusal
from app.schemas.requests import GenerateQuery
from app.settings import Settings
from worker.contracts.costs import FileSizes, WorkerCosts
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.counters import Count
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.store import Store

_NO_COSTS = "bytes, seconds: no live worker has measured the images of this model yet; ask again in a second"
_STYLED = "bytes: files of this kind of style had other sizes with other style images, so the figure is rough"
_UNSTYLED = "bytes: no styled image of this kind was stored yet, so the sizes of unstyled images are used"
_MORE_TRIES = "tries: copies and near-duplicates cost more tries; their share is not known before the job"
_STYLE_DEVIATION = 0.25
"""Relative deviation of the mean file size between styles."""


class Estimator:
    """Estimates jobs. Raises ApiError for requests that could never be accepted."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: TaskQueue,
        cluster: ClusterState,
        factory: JobFactory,
        quota: Quota,
        disk: DiskSpace,
    ) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._cluster = cluster
        self._factory = factory
        self._quota = quota
        self._disk = disk

    def estimate(self, query: GenerateQuery, caller: Caller) -> Estimate:
        """Return the estimate of a job, with the errors that would refuse it now."""
        hours = self._settings.ttl_hours if query.ttl_hours is None else query.ttl_hours
        largest = most_images(self._settings.max_images, caller)
        size = _error_of(lambda: check_size(query, largest))
        if size is not None and query.n < 1:
            raise size
        check_ttl(hours, self._settings.ttl_hours)
        spec, workers = self._factory.draft_spec(query, caller.owner)
        usage = self._quota.usage(caller)
        quota = usage and _error_of(lambda: check_limits(caller, usage, spec.expected_candidates))
        disk = _error_of(lambda: self._disk.check_job(spec))
        notes = list[str]()
        costs = self._costs(spec)
        size_range = self._bytes(spec, costs, notes)
        return Estimate(
            model=spec.model.name,
            n=spec.n,
            classes=_class_counts(spec),
            format=spec.format,
            tries=expected_tries(spec),
            bytes_=size_range,
            seconds=self._seconds(spec, size_range, costs, notes),
            disk=DiskEstimate(reserved=bytes_left(spec), free=self._store.free_bytes()),
            quota=_quota_view(caller, usage, spec),
            hours_kept=hours,
            fits=_fits(size=size, workers=workers, quota=quota, disk=disk),
            notes=notes + [_MORE_TRIES] * _rejects_similar_images(spec),
        )

    def _costs(self, spec: JobSpec) -> list[WorkerCosts]:
        """Return the costs of the live workers that can render a job."""
        workers = [worker for worker in self._cluster.workers() if worker.numerics == spec.model.numerics]
        return self._cluster.costs(worker for worker in workers if worker.offers(spec.needs))

    def _seconds(
        self, spec: JobSpec, size: Range | None, costs: list[WorkerCosts], notes: list[str]
    ) -> EstimatedSeconds | None:
        if size is None:
            return None
        waiting = self._queue.waiting(spec.model.numerics.name)
        try:
            return job_duration(spec, size.expected, costs, waiting, is_learnt=self._is_learnt(spec))
        except UnknownDurationError as error:
            notes.append(str(error))
            return None

    def _is_learnt(self, spec: JobSpec) -> bool:
        """Return whether the distilled model of a job is finished. Only such jobs cost a look into the store."""
        if spec.style is None or spec.style.mode != "distilled":
            return True
        return self._store.distilled.has_weights(spec.style.distilled_model_key(spec.model, spec.owner))

    def _bytes(self, spec: JobSpec, costs: list[WorkerCosts], notes: list[str]) -> Range | None:
        models = [each.models[spec.model.sha256] for each in costs if spec.model.sha256 in each.models]
        if not models:
            notes.append(_NO_COSTS)
            return None
        sizes = models[0].sizes[spec.format]
        if spec.style is not None and spec.format != "npz":
            sizes = self._styled_sizes(spec, sizes)
            notes.append(_STYLED if sizes.images else _UNSTYLED)
        return archive_size(spec, _labelled(spec, sizes), _labelled(spec, models[0].sizes["png"]))

    def _styled_sizes(self, spec: JobSpec, sizes: FileSizes) -> FileSizes:
        """Return the sizes of images with other styles, which the workers have counted."""
        counts, labels = self._cluster.counts(), (spec.model.name, spec.style_mode, spec.format)
        images = counts.get(Count(name="images_stored", labels=labels), 0.0)
        if not images:
            return sizes.model_copy(update={"deviation": 1.0, "images": 0})
        # The files were stored with their marks, so marks must not count twice.
        mean_size = counts.get(Count(name="bytes_stored", labels=labels), 0.0) / images - mark_bytes(spec)
        return FileSizes(mean_bytes=(mean_size,) * len(sizes.mean_bytes), deviation=_STYLE_DEVIATION, images=1)


def _error_of(check: Callable[[], object]) -> ApiError | None:
    try:
        check()
    except ApiError as error:
        return error
    return None


def _labelled(spec: JobSpec, sizes: FileSizes) -> FileSizes:
    """Return the sizes by the labels of a job's images. Without labels, it is the mean size of all classes."""
    labels = len(spec.classes) or 1
    return (
        sizes if len(sizes.mean_bytes) == labels else sizes.model_copy(update={"mean_bytes": (mean(sizes.mean_bytes),)})
    )


def _class_counts(spec: JobSpec) -> dict[str, int] | None:
    counts = zip(spec.classes, spec.quotas(), strict=False)
    return {name: count for name, count in counts if count} if spec.classes else None


def _rejects_similar_images(spec: JobSpec) -> bool:
    return spec.selection is not None and (spec.selection.drops_copies or spec.selection.distinct is not None)


def _quota_view(caller: Caller, usage: Usage | None, spec: JobSpec) -> QuotaEstimate:
    images, jobs = (None, None) if usage is None else (caller.max_images, caller.max_jobs)
    return QuotaEstimate(
        images=spec.expected_candidates,
        images_left=None if usage is None or images is None else max(0, images - usage.images),
        jobs_left=None if usage is None or jobs is None else max(0, jobs - usage.jobs),
    )


def _fits(**errors: ApiError | None) -> Fits:
    refusals = {part: None if error is None else _refusal(error) for part, error in errors.items()}
    return Fits(now=not any(refusals.values()), **refusals)


def _refusal(error: ApiError) -> Refusal:
    retryable = error.retry_after_seconds is not None
    return Refusal(status=error.status, code=error.code, detail=str(error), retryable=retryable)
