"""The operations of the API on jobs, without routing: accept, cancel and repeat them."""

import hashlib
import json
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus

from app.auth.api_keys import Caller
from app.auth.quota import Quota
from app.cluster.cluster_state import ClusterState, Progress
from app.cluster.disk_space import DiskSpace
from app.cluster.model_catalog import ModelCatalog
from app.errors import ApiError, unprocessable
from app.jobs.curation import curated
from app.jobs.extension import extended, prolonged, whole
from app.jobs.finish import finish_job
from app.jobs.job_acceptance import Accepted, IsOver, JobAcceptance
from app.jobs.job_factory import JobFactory
from app.jobs.job_ids import Part, address_parts
from app.jobs.job_reader import JobReader, expired
from app.jobs.lost_images import is_extension_lost, is_lost, is_lost_or_damaged
from app.jobs.request_limits import check_curation, check_extension, check_size, check_ttl, most_images
from app.jobs.status import job_view
from app.schemas.requests import GenerateQuery
from app.schemas.responses import Job
from app.settings import Settings
from worker.contracts.age import age
from worker.contracts.choice import Choice
from worker.contracts.formats import ARCHIVE_VERSION
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import AncestorRemovedError, DamagedError

_KEY_LIFETIME = timedelta(hours=24)
"""Age of a job after which its idempotency key may be used for another request."""

log = logging.getLogger(__name__)


class JobService:
    """Operations of the routes on jobs. They raise ApiError."""

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
        self.reader = JobReader(store, cluster)
        self._settings = settings
        self._store = store
        self._cluster = cluster
        self._catalog = catalog
        self._factory = factory
        self._disk = disk
        self._acceptance = JobAcceptance(store, queue, quota, disk)

    def submit(self, query: GenerateQuery, caller: Caller, key: str | None = None) -> tuple[Accepted, Job]:
        """Accept a job. For 24 hours, the same idempotency key finds the same job."""
        ttl = self._settings.ttl_hours if query.ttl_hours is None else query.ttl_hours
        check_size(query, most_images(self._settings.max_images, caller))
        check_ttl(ttl, self._settings.ttl_hours)
        spec = self._factory.create_spec(query, caller.owner)
        spec = spec.model_copy(update={"ttl_hours": ttl, "name": query.name or "", "split": query.split})
        if spec.least_worker_version > spec.archive_version:  # a worker of the release before is alive
            self._catalog.check_workers(spec)
        if key is not None:
            request = hashlib.sha256(query.model_dump_json().encode()).hexdigest()
            return self._submit_with_key(spec.model_copy(update={"request": request}), caller, key)
        accepted = self._acceptance.create(spec, caller)
        # A job with a random id is new, so its view needs no read of Redis or the store.
        choice = Choice(spec) if spec.selection else None
        return accepted, job_view(accepted.spec, None, Progress({}, None), accepted.spec.created, choice)

    def _submit_with_key(self, spec: JobSpec, caller: Caller, key: str) -> tuple[Accepted, Job]:
        def is_over(known: JobSpec) -> bool:
            return age(known.created, spec.created) > _KEY_LIFETIME

        accepted = self._find_or_create_on_disk(spec, caller, ("key", caller.owner, key), is_over)
        if accepted.spec.request != spec.request:
            detail = "Idempotency-Key: this key was already used for a different request; send a new key"
            raise unprocessable("idempotency_key_reused", detail)
        return accepted, self.reader.get_job(accepted.spec)

    def submit_image(self, spec: JobSpec, caller: Caller, *, is_checked: bool = False) -> JobSpec:
        """Return the one-image job of an address; accept it if there is none. Its id is a hash of the address.

        A job that was cancelled, has failed or has expired is replaced by a job with the next id; a failed one only
        after a delay. With `is_checked`, a job whose image is missing or corrupted is replaced, too.
        """
        spec = spec.model_copy(update={"is_address": spec.archive_version == ARCHIVE_VERSION})
        is_over = partial(is_lost_or_damaged if is_checked else is_lost, self._store)
        return self._acceptance.find_or_create(spec, caller, ("image", *address_parts(spec)), is_over).spec

    def retry(self, spec: JobSpec, caller: Caller) -> Job:
        """Return a job with the same images as a failed or cancelled job; accept it if there is none."""
        with suppress(DamagedError):  # the state of the job is unreadable, so its images may be rendered again
            self._check_outcome(spec, is_succeeded=False)
        return self._repeat(spec, caller)

    def rebuild(self, spec: JobSpec, caller: Caller) -> Job:
        """Return a job with the same images as a succeeded job whose images are lost; accept it if there is none.

        Images are lost if they have expired, or if any object of the job is missing or corrupted. A rebuild reads
        every object to find out. It returns the job itself if that is intact.
        """
        with suppress(DamagedError):  # the state of the job is unreadable, so its images may be rendered again
            self._check_outcome(spec, is_succeeded=True)
            if not is_lost_or_damaged(self._store, spec):
                return self.reader.get_job(spec)
        return self._repeat(spec, caller)

    def extend(self, spec: JobSpec, added: int, caller: Caller) -> Job:
        """Return the job of a dataset with `added` more images than a succeeded job has; accept it if there is none.

        The new job renders the new images only. It renders all if the old ones have expired or are damaged.
        """
        _check_has_no_walk(spec, "extended")
        self._check_outcome(spec, is_succeeded=True)
        check_extension(spec, added, most_images(self._settings.max_images, caller))
        self._factory.check_style(spec)
        parts = ("extend", spec.id, added)
        is_kept = not is_lost_or_damaged(self._store, spec)
        while True:
            longer = extended(self._store, spec, added) if is_kept else prolonged(spec, added)
            self._catalog.check_workers(longer)
            is_over = is_lost_or_damaged if is_kept else is_extension_lost
            try:
                accepted = self._find_or_create_on_disk(longer, caller, parts, partial(is_over, self._store))
            except AncestorRemovedError:
                is_kept = False
            else:
                return self.reader.get_job(accepted.spec)

    def curate(self, spec: JobSpec, excluded: Collection[int], caller: Caller) -> Job:
        """Return the job of a dataset without some images, which others replace; accept it if there is none.

        The new job renders the replacements only. Raises ApiError if the images of the succeeded job have expired,
        and DamagedError if they are damaged.
        """
        _check_has_no_walk(spec, "curated")
        self._check_outcome(spec, is_succeeded=True)
        if is_lost(self._store, spec):
            raise expired(self.reader.get_job(spec))
        if is_lost_or_damaged(self._store, spec):
            raise DamagedError(f"an object of job {spec.id} is missing or corrupted")
        self._factory.check_style(spec)
        better = curated(self._store, spec, excluded)
        check_curation(better, most_images(self._settings.max_images, caller))
        self._catalog.check_workers(better)
        digest = hashlib.sha256(json.dumps(sorted(excluded)).encode()).hexdigest()
        is_over = partial(is_lost_or_damaged, self._store)
        try:
            accepted = self._find_or_create_on_disk(better, caller, ("curate", spec.id, digest), is_over)
        except AncestorRemovedError as error:
            raise expired(self.reader.get_job(spec)) from error
        return self.reader.get_job(accepted.spec)

    def _check_outcome(self, spec: JobSpec, *, is_succeeded: bool) -> None:
        """Raise ApiError unless the job has ended, and has or has not succeeded."""
        state = self._store.jobs.state(spec.id)
        if state is None:
            detail = f"job {spec.id} has not ended yet"
            raise ApiError(HTTPStatus.CONFLICT, "job_running", detail, retry_after_seconds=1)
        if (state.outcome == "succeeded") != is_succeeded:
            other = "retried" if is_succeeded else "rebuilt, extended or curated"
            detail = f"job {spec.id} ended as {state.outcome}; it can be {other}"
            raise ApiError(HTTPStatus.CONFLICT, "job_ended", detail)

    def _repeat(self, spec: JobSpec, caller: Caller) -> Job:
        """Return the first repetition of a job whose images are not lost, or accept one."""
        self._catalog.check_workers(spec)
        self._factory.check_style(spec)
        is_over = partial(is_lost_or_damaged, self._store)
        accepted = self._find_or_create_on_disk(whole(spec), caller, ("again", spec.id), is_over)
        return self.reader.get_job(accepted.spec)

    def _find_or_create_on_disk(
        self, spec: JobSpec, caller: Caller, parts: Sequence[Part], is_over: IsOver
    ) -> Accepted:
        """Return the job like `find_or_create`. The client may rely on it, because it is on the disk."""
        accepted = self._acceptance.find_or_create(spec, caller, parts, is_over)
        if not accepted.is_new:  # the earlier request may have died before it forced the job to the disk
            self._store.jobs.force_to_disk(accepted.spec.id)
        return accepted

    def cancel(self, spec: JobSpec) -> Job:
        """Cancel a job. Raises ApiError if it has already succeeded or failed."""
        self._cancel_if_open(spec)
        job = self.reader.get_job(spec)
        if job.state != "cancelled":
            detail = f"job {spec.id} already ended as {job.state}, so it cannot be cancelled"
            raise ApiError(HTTPStatus.CONFLICT, "job_ended", detail)
        return job

    def _cancel_if_open(self, spec: JobSpec) -> None:
        state = JobState(outcome="cancelled", started=None, finished=datetime.now(UTC))
        if finish_job(self._store, self._cluster, spec, state):
            self._disk.release(spec.id)
            log.info("job cancelled", extra=fields(job_id=spec.id))

    def delete(self, spec: JobSpec) -> Job:
        """Remove the images of a job now, and cancel it if it has not ended. Repeating it changes nothing.

        Raises ApiError if another job extends it, because that job needs the images.
        """
        self._cancel_if_open(spec)
        now, state = datetime.now(UTC), self._store.jobs.state(spec.id)
        extensions = self._store.jobs.extensions(spec.id, now)
        if state is not None and not extensions:
            if state.is_removed:
                self._store.jobs.expire(spec.id)  # an earlier request may have died, or a worker may have been late
            elif self._store.jobs.remove_images(spec, state, now):
                log.info("images of a job removed on request", extra=fields(job_id=spec.id))
            else:
                extensions = self._store.jobs.extensions(spec.id, now)
        if extensions:
            raise _extended(spec, extensions)
        return self.reader.get_job(spec)


def _check_has_no_walk(spec: JobSpec, verb: str) -> None:
    if spec.between is not None:
        detail = f"job {spec.id} is a walk, which cannot be {verb}, because each frame depends on their number"
        raise ApiError(HTTPStatus.CONFLICT, "job_is_walk", f"{detail}; request the walk again with another n")


def _extended(spec: JobSpec, ids: Sequence[str]) -> ApiError:
    detail = f"job {spec.id} is a part of {', '.join(ids)}; delete these jobs first"
    return ApiError(HTTPStatus.CONFLICT, "job_extended", detail, extension={"extensions": ids})
