"""What the API does, without HTTP: accept a job, tell about it, cancel it, hand out what it made."""

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
from app.cluster.model_catalog import Models
from app.errors import ApiError, quote_value, unprocessable
from app.jobs.damage_repair import is_whole
from app.jobs.finish import end
from app.jobs.job_factory import JobFactory
from app.jobs.job_ids import Part, address, name
from app.jobs.status import describe
from app.schemas import GenerateQuery, ImageRequest, Job
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
_FAILED_REST = timedelta(seconds=10)
"""Before an address is tried again."""
_KEY_LIVES = timedelta(hours=24)
"""After which an idempotency key may mean something else."""

IsOver = Callable[[JobSpec], bool]

log = logging.getLogger(__name__)


class JobService:
    """All that the routes ask for; raises ApiError. Who has a JobSpec may have all of the job."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        line: TaskQueue,
        live: ClusterState,
        models: Models,
        orders: JobFactory,
        quota: Quota,
        room: DiskSpace,
    ) -> None:
        self._settings = settings
        self._store = store
        self._line = line
        self._live = live
        self._models = models
        self._orders = orders
        self._quota = quota
        self._room = room

    def submit(self, query: GenerateQuery, caller: Caller, key: str | None = None) -> tuple[JobSpec, Job, Usage | None]:
        """Accept a job: once this returns, the job ends, whatever dies. The same key finds the same job for a day.

        Tells too what the caller has open with it, if that is counted.
        """
        ttl = self._settings.ttl_hours if query.ttl_hours is None else query.ttl_hours
        most = min(self._settings.max_images, caller.max_images or self._settings.max_images)
        for field, value, limit in (("n", query.n, most), ("ttl_hours", ttl, self._settings.ttl_hours)):
            if not 1 <= value <= limit:
                detail = f"{field}: must be a whole number between 1 and {limit}, got '{value}'"
                raise unprocessable(f"{field}_out_of_range", detail)
        spec = self._orders.spec(query, caller.owner)
        spec = spec.model_copy(update={"ttl_hours": ttl})
        if key is None:
            spec, used = self._accept(spec, caller)
            return spec, describe(spec, None, Progress({}, None), spec.created), used
        return self._keyed(spec, caller, key, hashlib.sha256(query.model_dump_json().encode()).hexdigest())

    def _keyed(self, spec: JobSpec, caller: Caller, key: str, request: str) -> tuple[JobSpec, Job, Usage | None]:
        def is_over(known: JobSpec) -> bool:
            return age(known.created, spec.created) > _KEY_LIVES

        parts = ("key", caller.owner, key)
        found, used = self._found(spec.model_copy(update={"request": request}), caller, parts, is_over)
        if used is None:  # an earlier request may have ended before it forced the job to the disk
            self._store.jobs.force_to_disk(found.id)
        if found.request != request:
            detail = "Idempotency-Key: it came with another request before; take a new one for a new request"
            raise unprocessable("idempotency_key_reused", detail)
        return found, self.job(found), used

    def again(self, spec: JobSpec, caller: Caller, *, rebuild: bool) -> Job:
        """Find or accept a job that makes the same images as one that failed, was cancelled, or lost its images.

        Images are lost when they have expired, or when any object of the job is gone or damaged: a rebuild reads all
        of them. Of a job that is whole, a rebuild is the job itself.
        """
        with suppress(DamagedError):  # how it ended cannot be read: its images can be made again
            self._check_again(spec, rebuild=rebuild)
            if rebuild and not self._is_lost_or_damaged(spec):
                return self.job(spec)
        self._models.check_workers(spec)
        wanted = spec.model_copy(update={"request": None})
        found, _ = self._found(wanted, caller, ("again", spec.id), self._is_lost_or_damaged)
        return self.job(found)

    def _check_again(self, spec: JobSpec, *, rebuild: bool) -> None:
        state = self._store.jobs.state(spec.id)
        if state is None:
            raise ApiError(HTTPStatus.CONFLICT, "job_running", f"job {spec.id} has not ended", retry_after_seconds=1)
        if (state.outcome == "succeeded") != rebuild:
            other = "rebuilt" if state.outcome == "succeeded" else "retried"
            detail = f"job {spec.id} ended as {state.outcome}: it can be {other}"
            raise ApiError(HTTPStatus.CONFLICT, "job_ended", detail)

    def address(self, wanted: ImageRequest, caller: Caller, *, is_checked: bool = False) -> JobSpec:
        """Find the job that makes the one image of an address, or accept it: the address is its id.

        One that was cancelled or has failed stays as it is, and is tried again under the next id; but not at once when
        it has failed. With `is_checked`, so is one whose image is gone or damaged.
        """
        spec = self._orders.spec(wanted, caller.owner, HTTPStatus.NOT_FOUND)
        is_over = self._is_lost_or_damaged if is_checked else self._is_lost
        found, _ = self._found(spec, caller, ("image", *address(spec)), is_over)
        return found

    def _found(
        self, spec: JobSpec, caller: Caller, parts: Sequence[Part], is_over: IsOver
    ) -> tuple[JobSpec, Usage | None]:
        """Find the job of a name that is made of some parts, or accept it; one that is over has a successor."""
        attempts = count()
        while True:
            named = spec.model_copy(update={"id": name(*parts, next(attempts)), "created": datetime.now(UTC)})
            known = self._store.jobs.spec(named.id)
            if known is None:
                return self._accept(named, caller, is_named=True)
            if not is_over(known):
                return known, None

    def addressed(self, spec: JobSpec) -> tuple[str, bytes] | None:
        """Read the image of an address and its sha256; None while it is not there. Raises DamagedError."""
        if (shard := self._store.shards.index(spec.id, 0)) is not None:
            return shard.images.sha256s[0], self._image(shard, 0)
        state = self._store.jobs.state(spec.id)
        if state is None:
            return None
        if state.outcome == "succeeded":
            if self._store.shards.index(spec.id, 0) is None:  # looked for again, as the job may just have ended
                raise DamagedError(f"the image of job {spec.id} is gone")
            return None
        if state.error is None:
            raise ApiError(HTTPStatus.CONFLICT, "not_rendered", "its job was cancelled", retry_after_seconds=1)
        wait = math.ceil(_FAILED_REST.total_seconds())
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "not_rendered", state.error.message, retry_after_seconds=wait)

    def _accept(self, spec: JobSpec, caller: Caller, *, is_named: bool = False) -> tuple[JobSpec, Usage | None]:
        """Write a job down and queue it. One with a name of its own stays when that fails: it is asked for again."""
        with self._room.reserved(spec), self._discarded_on_error(spec.id) if not is_named else nullcontext():
            with self._quota.room(caller, spec.n) as used:
                spec, is_new = self._store.jobs.create(spec)
            if is_new:
                self._line.enqueue(spec, [Task.render_shard(spec.id, 0, spec.shard_count)])
            self._store.jobs.force_to_disk(spec.id)  # last, as workers can begin meanwhile
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

    def spec(self, job_id: str, owner: str) -> JobSpec:
        """Find the job of an owner. Somebody else's is as unknown as one that is not there."""
        try:
            spec = self._store.jobs.spec(_JOB_ID.validate_python(job_id))
        except ValidationError:
            spec = None
        if spec is None or spec.owner != owner:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_job", f"no job {quote_value(job_id)}")
        return spec

    def job(self, spec: JobSpec) -> Job:
        """Tell how a job is doing."""
        state = self._store.jobs.state(spec.id)
        if state is None:
            return describe(spec, None, self._live.progress(spec.id), datetime.now(UTC))
        succeeded = state.outcome == "succeeded"
        shards = range(spec.shard_count) if succeeded else self._store.shards.committed(spec.id)
        images = {shard: len(spec.shard_indices(shard)) for shard in shards}
        started = state.started.timestamp() if state.started else None
        return describe(spec, state, Progress(images, started), state.finished)

    def cancel(self, spec: JobSpec) -> Job:
        """End a job, unless it has ended otherwise."""
        state = JobState(outcome="cancelled", started=None, finished=datetime.now(UTC))
        if end(self._store, self._live, spec, state):
            self._room.give_back(spec.id)
            log.info("job cancelled job_id=%s", spec.id)
        job = self.job(spec)
        if job.state != "cancelled":
            raise ApiError(HTTPStatus.CONFLICT, "job_ended", f"job {spec.id} ended as {job.state} before")
        return job

    def archive(self, spec: JobSpec) -> tuple[Job, ArchivePlan | None]:
        """Find the archive of a job; None while the job runs. Raises ApiError when there will be none."""
        job = self.job(spec)
        if job.done and job.state != "succeeded":
            raise _not_there(job, "its archive")
        self._check_kept(spec, job)
        plan = self._store.archives.plan(spec.id) if job.done else None
        if job.done and plan is None:
            raise DamagedError(f"the archive of job {spec.id} is gone")
        return job, plan

    def image(self, spec: JobSpec, index: int, suffix: str) -> tuple[str, bytes]:
        """Read one image and its sha256, as soon as its shard is there."""
        if spec.format == "npz" or suffix != SUFFIXES[spec.format]:
            own = "arrays" if spec.format == "npz" else f"INDEX.{SUFFIXES[spec.format]}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", f"the images of job {spec.id} are {own}")
        if not spec.first <= index < spec.first + spec.n:
            detail = f"job {spec.id} has images {spec.first} to {spec.first + spec.n - 1}, not {index}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", detail)
        number, position = spec.locate(index)
        shard = self._store.shards.index(spec.id, number)
        if shard is None:
            job = self.job(spec)
            self._check_kept(spec, job)  # last, as an image that is there still may be had
            if job.state == "succeeded" and self._store.shards.index(spec.id, number) is None:
                raise DamagedError(f"image {index} of job {spec.id} is gone")
            raise _not_there(job, f"image {index}")
        return shard.images.sha256s[position], self._image(shard, position)

    def _image(self, shard: ShardIndex, position: int) -> bytes:
        """Read an image; raises DamagedError when it is not the one that was written."""
        data = self._store.shards.image(shard, position)
        if zlib.crc32(data) != shard.images.crc32s[position]:
            raise DamagedError(f"an image in {shard.data} is not what was written there")
        return data

    def _is_lost(self, spec: JobSpec) -> bool:
        """Tell whether the images of a job are gone or will not come.

        A job that failed less than 10 s ago does not count as lost yet. A job whose end cannot be read is lost.
        """
        try:
            state = self._store.jobs.state(spec.id)
        except DamagedError:
            return True
        if state is None:
            return False
        now = datetime.now(UTC)
        is_resting = state.outcome == "failed" and age(state.finished, now) < _FAILED_REST
        return not is_resting and (state.outcome != "succeeded" or state.has_expired(spec, now))

    def _is_lost_or_damaged(self, spec: JobSpec) -> bool:
        """Tell the same as `_is_lost`, but read every object of a succeeded job."""
        if self._is_lost(spec):
            return True
        state = self._store.jobs.state(spec.id)
        return state is not None and state.outcome == "succeeded" and not is_whole(self._store, spec)

    def _check_kept(self, spec: JobSpec, job: Job) -> None:
        if job.state == "succeeded" and job.expires is not None and job.expires <= datetime.now(UTC):
            detail = f"the images of job {spec.id} were removed on {job.expires:%Y-%m-%d}; POST {job.links.rebuild}"
            raise ApiError(HTTPStatus.GONE, "job_expired", f"{detail} makes the same ones again")


def _not_there(job: Job, what: str) -> ApiError:
    if job.done:
        detail = f"job {job.id} ended as {job.state}, {what} will not come"
        return ApiError(HTTPStatus.CONFLICT, f"job_{job.state}", detail)
    wait = min(max(1, math.ceil(job.eta_seconds or 1)), _MAX_RETRY_AFTER_SECONDS)
    detail = f"job {job.id} is {job.state}, {what} is not there yet ({job.images_done} of {job.n} images are)"
    return ApiError(HTTPStatus.CONFLICT, "not_ready", detail, retry_after_seconds=wait)
