"""The operations of the API on jobs, without routing: accept, look up, cancel and repeat jobs, read their images."""

import hashlib
import logging
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import count

from pydantic import TypeAdapter, ValidationError

from app.auth.api_keys import Caller
from app.auth.quota import Quota, Usage
from app.cluster.cluster_state import ClusterState, Progress
from app.cluster.disk_space import DiskSpace
from app.cluster.model_catalog import ModelCatalog
from app.errors import ApiError, echoed, unprocessable
from app.jobs.damage_repair import is_whole
from app.jobs.finish import finish_job
from app.jobs.job_factory import JobFactory
from app.jobs.job_ids import Part, address_parts, deterministic_id
from app.jobs.status import job_view
from app.schemas import GenerateQuery, Job, Wanted
from app.settings import Settings
from worker.contracts.age import age
from worker.contracts.jobs import SUFFIXES, JobId, JobSpec, JobState
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.archive_index import ArchivePlan, ShardIndex
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_JOB_ID: TypeAdapter[str] = TypeAdapter(JobId)
_MAX_RETRY_AFTER_SECONDS = 30
_RETRY_DELAY = timedelta(seconds=10)
"""Delay after a failed job of an address before the next request renders that address again."""
_KEY_LIFETIME = timedelta(hours=24)
"""Age of a job after which its idempotency key may be used for another request."""

IsOver = Callable[[JobSpec], bool]

log = logging.getLogger(__name__)


class JobService:
    """Operations of the routes on jobs. They raise ApiError.

    Only `find_spec` checks who owns a job. Every other method trusts its JobSpec, so callers must obtain it there.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        queue: TaskQueue,
        cluster: ClusterState,
        catalog: ModelCatalog,
        factory: JobFactory,
        quota: Quota,
        disk: DiskSpace,
    ) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._cluster = cluster
        self._catalog = catalog
        self._factory = factory
        self._quota = quota
        self._disk = disk

    def submit(self, query: GenerateQuery, caller: Caller, key: str | None = None) -> tuple[JobSpec, Job, Usage | None]:
        """Accept a job. Once this method has returned, the job is not lost, whichever process dies.

        For 24 hours, the same idempotency key finds the same job. The usage, which counts the new job, is None if the
        caller has no limits or the job was known.
        """
        ttl = self._settings.ttl_hours if query.ttl_hours is None else query.ttl_hours
        max_images = min(self._settings.max_images, caller.max_images or self._settings.max_images)
        for field, value, limit in (("n", query.n, max_images), ("ttl_hours", ttl, self._settings.ttl_hours)):
            if not 1 <= value <= limit:
                detail = f"{field}: must be a whole number between 1 and {limit}, got '{value}'"
                raise unprocessable(f"{field}_out_of_range", detail)
        spec = self._factory.create_spec(query, caller.owner)
        spec = spec.model_copy(update={"ttl_hours": ttl})
        if key is None:
            spec, used = self._accept(spec, caller)
            return spec, job_view(spec, None, Progress({}, None), spec.created), used
        return self._submit_with_key(spec, caller, key, hashlib.sha256(query.model_dump_json().encode()).hexdigest())

    def _submit_with_key(
        self, spec: JobSpec, caller: Caller, key: str, request: str
    ) -> tuple[JobSpec, Job, Usage | None]:
        def is_over(known: JobSpec) -> bool:
            return age(known.created, spec.created) > _KEY_LIFETIME

        parts = ("key", caller.owner, key)
        found, used = self._find_or_create(spec.model_copy(update={"request": request}), caller, parts, is_over)
        if used is None:  # an earlier request may have died before it forced the job to the disk
            self._store.jobs.force_to_disk(found.id)
        if found.request != request:
            detail = "Idempotency-Key: this key was already used for a different request; send a new key"
            raise unprocessable("idempotency_key_reused", detail)
        return found, self.get_job(found), used

    def repeat(self, spec: JobSpec, caller: Caller, *, rebuild: bool) -> Job:
        """Return a job with the same images as an ended job; accept it if no earlier repetition is usable.

        A retry repeats a failed or cancelled job. A rebuild repeats a succeeded job whose images have expired, or of
        which an object is missing or corrupted; it reads every object to find out. If the job is intact, a rebuild
        returns the job itself.
        """
        with suppress(DamagedError):  # the state of the job is unreadable, so its images may be rendered again
            self._check_repeatable(spec, rebuild=rebuild)
            if rebuild and not self._is_lost_or_damaged(spec):
                return self.get_job(spec)
        self._catalog.check_workers(spec)
        wanted = spec.model_copy(update={"request": None})
        found, _ = self._find_or_create(wanted, caller, ("again", spec.id), self._is_lost_or_damaged)
        return self.get_job(found)

    def _check_repeatable(self, spec: JobSpec, *, rebuild: bool) -> None:
        state = self._store.jobs.state(spec.id)
        if state is None:
            raise ApiError(
                HTTPStatus.CONFLICT, "job_running", f"job {spec.id} has not ended yet", retry_after_seconds=1
            )
        if (state.outcome == "succeeded") != rebuild:
            other = "rebuilt" if state.outcome == "succeeded" else "retried"
            detail = f"job {spec.id} ended as {state.outcome}; it can be {other}"
            raise ApiError(HTTPStatus.CONFLICT, "job_ended", detail)

    def submit_image(self, wanted: Wanted, caller: Caller, *, is_checked: bool = False) -> JobSpec:
        """Return the one-image job of an address; accept it if there is none. Its id is a hash of the address.

        A job that was cancelled, has failed or has expired is replaced by a job with the next id; a failed one only
        after a delay. With `is_checked`, a job whose image is missing or corrupted is replaced, too.
        """
        spec = self._factory.create_spec(wanted, caller.owner, HTTPStatus.NOT_FOUND)
        is_over = self._is_lost_or_damaged if is_checked else self._is_lost
        found, _ = self._find_or_create(spec, caller, ("image", *address_parts(spec)), is_over)
        return found

    def _find_or_create(
        self, spec: JobSpec, caller: Caller, parts: Sequence[Part], is_over: IsOver
    ) -> tuple[JobSpec, Usage | None]:
        """Return the job whose id is derived from `parts` and a counter, or accept it.

        While the job of a counter value `is_over`, the next value is tried. A job is never reopened.
        """
        attempts = count()
        while True:
            named = spec.model_copy(
                update={"id": deterministic_id(*parts, next(attempts)), "created": datetime.now(UTC)}
            )
            known = self._store.jobs.spec(named.id)
            if known is None:
                return self._accept(named, caller, is_named=True)
            if not is_over(known):
                return known, None

    def read_image(self, spec: JobSpec) -> tuple[str, bytes] | None:
        """Return the sha256 and the bytes of the image of a one-image job; None while it is not rendered.

        Raises DamagedError if the image is missing or corrupted.
        """
        if (shard := self._store.shards.index(spec.id, 0)) is not None:
            return shard.images.sha256s[0], self._read_image_bytes(shard, 0)
        state = self._store.jobs.state(spec.id)
        if state is None:
            return None
        if state.outcome == "succeeded":
            # Read the index again: the job may have ended between the first read and the read of its state.
            if self._store.shards.index(spec.id, 0) is None:
                raise DamagedError(f"the image of job {spec.id} is missing")
            return None
        if state.error is None:
            raise ApiError(
                HTTPStatus.CONFLICT, "not_rendered", "the job of this image was cancelled", retry_after_seconds=1
            )
        wait = math.ceil(_RETRY_DELAY.total_seconds())
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "not_rendered", state.error.message, retry_after_seconds=wait)

    def _accept(self, spec: JobSpec, caller: Caller, *, is_named: bool = False) -> tuple[JobSpec, Usage | None]:
        """Store a job and queue its first task.

        If that fails, a job with a random id is discarded, because no later request can find it. A job with a
        deterministic id is kept, because a repeated request finds it.
        """
        with self._disk.reserve(spec), self._discarded_on_error(spec.id) if not is_named else nullcontext():
            with self._quota.reserve(caller, spec.n) as used:
                spec, is_new = self._store.jobs.create(spec)
            if is_new:
                self._queue.enqueue(spec, [Task.render_shard(spec.id, 0, spec.shard_count)])
            self._store.jobs.force_to_disk(spec.id)  # last, because workers can start in the meantime
        if is_new:
            known = (spec.id, spec.owner, spec.model.name, spec.n, spec.seed)
            log.info("job accepted job_id=%s owner=%s model=%s n=%d seed=%d", *known)
        return spec, used

    @contextmanager
    def _discarded_on_error(self, job_id: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            with suppress(Exception):
                self._store.jobs.discard(job_id, datetime.now(UTC))
            raise

    def find_spec(self, job_id: str, owner: str) -> JobSpec:
        """Return the job of an owner. Another owner's job gives the same error as an unknown job."""
        try:
            spec = self._store.jobs.spec(_JOB_ID.validate_python(job_id))
        except ValidationError:
            spec = None
        if spec is None or spec.owner != owner:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_job", f"no job {echoed(job_id)}")
        return spec

    def get_job(self, spec: JobSpec) -> Job:
        """Return the current state and progress of a job."""
        state = self._store.jobs.state(spec.id)
        if state is None:
            return job_view(spec, None, self._cluster.progress(spec.id), datetime.now(UTC))
        succeeded = state.outcome == "succeeded"
        shards = range(spec.shard_count) if succeeded else self._store.shards.committed(spec.id)
        images = {shard: len(spec.shard_indices(shard)) for shard in shards}
        started = state.started.timestamp() if state.started else None
        return job_view(spec, state, Progress(images, started), state.finished)

    def cancel(self, spec: JobSpec) -> Job:
        """Cancel a job. Raises ApiError if it has already succeeded or failed."""
        state = JobState(outcome="cancelled", started=None, finished=datetime.now(UTC))
        if finish_job(self._store, self._cluster, spec, state):
            self._disk.release(spec.id)
            log.info("job cancelled job_id=%s", spec.id)
        job = self.get_job(spec)
        if job.state != "cancelled":
            raise ApiError(
                HTTPStatus.CONFLICT,
                "job_ended",
                f"job {spec.id} already ended as {job.state}, so it cannot be cancelled",
            )
        return job

    def find_archive(self, spec: JobSpec) -> tuple[Job, ArchivePlan | None]:
        """Return a job and the plan of its archive; the plan is None while the job runs.

        Raises ApiError if the job has no archive and will not get one.
        """
        job = self.get_job(spec)
        if job.done and job.state != "succeeded":
            raise _not_available(job, "its archive")
        self._check_not_expired(spec, job)
        plan = self._store.archives.plan(spec.id) if job.done else None
        if job.done and plan is None:
            raise DamagedError(f"the archive of job {spec.id} is missing")
        return job, plan

    def read_image_at(self, spec: JobSpec, index: int, suffix: str) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of one image. Raises ApiError while its shard is not committed."""
        if spec.format == "npz" or suffix != SUFFIXES[spec.format]:
            own = "arrays" if spec.format == "npz" else f"INDEX.{SUFFIXES[spec.format]}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", f"the images of job {spec.id} are {own}")
        if not spec.first <= index < spec.first + spec.n:
            detail = f"job {spec.id} has images {spec.first} to {spec.first + spec.n - 1}, not {index}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", detail)
        number, position = spec.locate(index)
        shard = self._store.shards.index(spec.id, number)
        if shard is None:
            job = self.get_job(spec)
            self._check_not_expired(spec, job)  # only now, because an expired image may be read until it is deleted
            if job.state == "succeeded" and self._store.shards.index(spec.id, number) is None:
                raise DamagedError(f"image {index} of job {spec.id} is missing")
            raise _not_available(job, f"image {index}")
        return shard.images.sha256s[position], self._read_image_bytes(shard, position)

    def _read_image_bytes(self, shard: ShardIndex, position: int) -> bytes:
        """Return the bytes of an image. Raises DamagedError if their checksum is wrong."""
        data = self._store.shards.image(shard, position)
        if zlib.crc32(data) != shard.images.crc32s[position]:
            raise DamagedError(f"an image in {shard.data} has a wrong checksum")
        return data

    def _is_lost(self, spec: JobSpec) -> bool:
        """Return whether the images of a job have expired, or will never be rendered.

        A job that failed less than 10 s ago does not count as lost yet. A job with an unreadable state is lost.
        """
        try:
            state = self._store.jobs.state(spec.id)
        except DamagedError:
            return True
        if state is None:
            return False
        now = datetime.now(UTC)
        is_resting = state.outcome == "failed" and age(state.finished, now) < _RETRY_DELAY
        return not is_resting and (state.outcome != "succeeded" or state.has_expired(spec, now))

    def _is_lost_or_damaged(self, spec: JobSpec) -> bool:
        """Return whether a job is lost, or any object of the succeeded job is missing or corrupted."""
        if self._is_lost(spec):
            return True
        state = self._store.jobs.state(spec.id)
        return state is not None and state.outcome == "succeeded" and not is_whole(self._store, spec)

    def _check_not_expired(self, spec: JobSpec, job: Job) -> None:
        if job.state == "succeeded" and job.expires is not None and job.expires <= datetime.now(UTC):
            detail = f"the images of job {spec.id} were removed on {job.expires:%Y-%m-%d}; POST {job.links.rebuild}"
            raise ApiError(HTTPStatus.GONE, "job_expired", f"{detail} renders the same ones again")


def _not_available(job: Job, what: str) -> ApiError:
    if job.done:
        detail = f"job {job.id} ended as {job.state}, so {what} will not be available"
        return ApiError(HTTPStatus.CONFLICT, f"job_{job.state}", detail)
    wait = min(max(1, math.ceil(job.eta_seconds or 1)), _MAX_RETRY_AFTER_SECONDS)
    detail = f"job {job.id} is {job.state}; {what} is not ready yet ({job.images_done} of {job.n} images are)"
    return ApiError(HTTPStatus.CONFLICT, "not_ready", detail, retry_after_seconds=wait)
