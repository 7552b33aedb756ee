"""What the API does, without HTTP: accept a job, tell about it, cancel it, hand out what it made."""

import hashlib
import logging
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import count
from statistics import median

from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from app.address import Part, address, name
from app.errors import ApiError, unavailable, unprocessable
from app.keys import Caller
from app.live import Live, Progress
from app.quota import Quota, Usage
from app.schemas import MAX_SEED, GenerateQuery, Job, Model, Wanted
from app.settings import Settings
from app.status import describe
from app.styles import Styles
from worker.contracts.artifacts import Artifacts
from worker.contracts.catalog import CatalogEntry, WorkerEntry
from worker.contracts.jobs import SUFFIXES, Cut, Format, JobId, JobSpec, JobState
from worker.contracts.line import Line
from worker.contracts.queue import Task
from worker.contracts.records import ArchivePlan
from worker.contracts.styles import StyleSpec

_JOB_ID: TypeAdapter[str] = TypeAdapter(JobId)
_MAX_RETRY_AFTER_SECONDS = 30
_SHARD_SECONDS = 1.0
_UNMEASURED_SHARD = 256
"""Images in a grown shard before any worker has measured its speed."""
_MOST_SHARD_BYTES = 1 << 28
"""Of pixels: a shard is held in memory."""
_FAILED_REST = timedelta(seconds=10)
"""Before an address is tried again."""
_KEY_LIVES = timedelta(hours=24)
"""After which an idempotency key may mean something else."""
_MOST_ECHOED = 100
"""Characters of what was sent that an error repeats."""

IsOver = Callable[[JobSpec, JobState | None], bool]

log = logging.getLogger(__name__)


class Service:
    """All that the routes ask for; raises ApiError. Who has a JobSpec may have all of the job."""

    def __init__(
        self, settings: Settings, artifacts: Artifacts, line: Line, live: Live, styles: Styles, quota: Quota
    ) -> None:
        self._settings = settings
        self._artifacts = artifacts
        self._line = line
        self._live = live
        self._styles = styles
        self._quota = quota

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
        spec = self._specify(query, caller.owner, *self._choose_model(query.model))
        spec = spec.model_copy(update={"ttl_hours": ttl})
        if key is None:
            used = self._accept(spec, caller)
            return spec, describe(spec, None, Progress({}, None), spec.created), used
        return self._keyed(spec, caller, key, hashlib.sha256(query.model_dump_json().encode()).hexdigest())

    def _keyed(self, spec: JobSpec, caller: Caller, key: str, request: str) -> tuple[JobSpec, Job, Usage | None]:
        def is_over(known: JobSpec, _state: JobState | None) -> bool:
            return spec.created - known.created > _KEY_LIVES

        parts = ("key", caller.owner, key)
        found, used = self._found(spec.model_copy(update={"request": request}), caller, parts, is_over)
        if found.request != request:
            detail = "Idempotency-Key: it came with another request before; take a new one for a new request"
            raise unprocessable("idempotency_key_reused", detail)
        return found, self.job(found), used

    def again(self, spec: JobSpec, caller: Caller, *, rebuild: bool) -> Job:
        """Find or accept a job that makes the same images as one that failed or was cancelled, or whose are removed.

        Of a job that can be had as it is, a rebuild is the job itself.
        """
        state = self._artifacts.state(spec.id)
        if state is None:
            raise ApiError(HTTPStatus.CONFLICT, "job_running", f"job {spec.id} has not ended", retry_after_seconds=1)
        if (state.outcome == "succeeded") != rebuild:
            other = "rebuilt" if state.outcome == "succeeded" else "retried"
            detail = f"job {spec.id} ended as {state.outcome}: it can be {other}"
            raise ApiError(HTTPStatus.CONFLICT, "job_ended", detail)
        if rebuild and not state.has_expired(spec, datetime.now(UTC)):
            return self.job(spec)
        self._check_workers(spec)
        wanted = spec.model_copy(update={"request": None})
        found, _ = self._found(wanted, caller, ("again", spec.id), _is_lost)
        return self.job(found)

    def address(self, wanted: Wanted, caller: Caller) -> JobSpec:
        """Find the job that makes the one image of an address, or accept it: the address is its id.

        One that was cancelled or has failed stays as it is, and is tried again under the next id; but not at once when
        it has failed.
        """
        spec = self._specify(wanted, caller.owner, *self._choose_model(wanted.model, HTTPStatus.NOT_FOUND))
        found, _ = self._found(spec, caller, ("image", *address(spec)), _is_lost)
        return found

    def _found(
        self, spec: JobSpec, caller: Caller, parts: Sequence[Part], is_over: IsOver
    ) -> tuple[JobSpec, Usage | None]:
        """Find the job of a name that is made of some parts, or accept it; one that is over has a successor."""
        attempts = count()
        while True:
            named = spec.model_copy(update={"id": name(*parts, next(attempts)), "created": datetime.now(UTC)})
            known = self._artifacts.spec(named.id)
            if known is None:
                used = self._accept(named, caller, is_named=True)
                return self._artifacts.spec(named.id) or named, used
            if not is_over(known, self._artifacts.state(known.id)):
                return known, None

    def addressed(self, spec: JobSpec) -> tuple[str, bytes] | None:
        """Read the image of an address and its sha256; None while it is not there."""
        shard = self._artifacts.shard(spec.id, 0)
        if shard is not None:
            return shard.images.sha256s[0], self._artifacts.image(shard, 0)
        state = self._artifacts.state(spec.id)
        if state is None or state.outcome == "succeeded":
            return None
        if state.error is None:
            raise ApiError(HTTPStatus.CONFLICT, "not_rendered", "its job was cancelled", retry_after_seconds=1)
        wait = math.ceil(_FAILED_REST.total_seconds())
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "not_rendered", state.error.message, retry_after_seconds=wait)

    def _accept(self, spec: JobSpec, caller: Caller, *, is_named: bool = False) -> Usage | None:
        """Write a job down and queue it. One with a name of its own stays when that fails: it is asked for again."""
        self._check_room(spec)
        with self._discarded_on_error(spec.id) if not is_named else nullcontext():
            with self._quota.room(caller, spec.n) as used:
                is_new = self._artifacts.create_job(spec)
            if is_new:
                self._line.enqueue(spec, [Task.render_shard(spec.id, 0, spec.shard_count)])
            self._artifacts.keep_job(spec.id)  # last, as workers can begin meanwhile
        if is_new:
            known = (spec.id, spec.owner, spec.model.name, spec.n, spec.seed)
            log.info("job accepted job_id=%s owner=%s model=%s n=%d seed=%d", *known)
        return used

    @contextmanager
    def _discarded_on_error(self, job_id: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            with suppress(Exception):
                self._artifacts.discard_job(job_id)
            raise

    def spec(self, job_id: str, owner: str) -> JobSpec:
        """Find the job of an owner. Somebody else's is as unknown as one that is not there."""
        try:
            spec = self._artifacts.spec(_JOB_ID.validate_python(job_id))
        except ValidationError:
            spec = None
        if spec is None or spec.owner != owner:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_job", f"no job {_cut(job_id)}")
        return spec

    def job(self, spec: JobSpec) -> Job:
        """Tell how a job is doing."""
        state = self._artifacts.state(spec.id)
        if state is None:
            return describe(spec, None, self._live.progress(spec.id), datetime.now(UTC))
        succeeded = state.outcome == "succeeded"
        shards = range(spec.shard_count) if succeeded else self._artifacts.committed(spec.id)
        images = {shard: len(spec.shard_indices(shard)) for shard in shards}
        started = state.started.timestamp() if state.started else None
        return describe(spec, state, Progress(images, started), state.finished)

    def cancel(self, spec: JobSpec) -> Job:
        """End a job, unless it has ended otherwise."""
        state = JobState(outcome="cancelled", started=None, finished=datetime.now(UTC))
        if self._artifacts.finish(spec.id, state):
            self._artifacts.settle_job(spec, state)
            with suppress(RedisError):
                self._live.count("jobs_ended", "cancelled")
                self._live.flag_cancelled(spec.id)
                self._live.ring_end(spec.id)
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
        return job, self._artifacts.archive(spec.id) if job.done else None

    def image(self, spec: JobSpec, index: int, suffix: str) -> tuple[Format, bytes]:
        """Read one image, as soon as its shard is there."""
        if spec.format == "npz" or suffix != SUFFIXES[spec.format]:
            own = "arrays" if spec.format == "npz" else f"INDEX.{SUFFIXES[spec.format]}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", f"the images of job {spec.id} are {own}")
        if not spec.first <= index < spec.first + spec.n:
            detail = f"job {spec.id} has images {spec.first} to {spec.first + spec.n - 1}, not {index}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", detail)
        number, position = spec.locate(index)
        shard = self._artifacts.shard(spec.id, number)
        if shard is None:
            job = self.job(spec)
            self._check_kept(spec, job)  # last, as an image that is there still may be had
            raise _not_there(job, f"image {index}")
        return spec.format, self._artifacts.image(shard, position)

    def models(self) -> list[Model]:
        """List the models that can be asked for."""
        entries, workers = self._live.models(), self._live.workers()
        default = self._default(entries)
        models = []
        for entry in entries.values():
            able = [worker for worker in workers if entry.name in worker.models]
            speeds = [worker.images_per_s for worker in able if worker.images_per_s is not None]
            speed = round(sum(speeds), 1) if speeds else None
            models.append(Model(**dict(entry), default=entry.name == default, workers=len(able), images_per_s=speed))
        return models

    def model(self, name: str) -> Model:
        """Tell about one model."""
        models = {model.name: model for model in self.models()}
        if not models:
            raise _no_models()
        if name not in models:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_model", f"no model {_cut(name)}; there are {_listed(models)}")
        return models[name]

    def _check_kept(self, spec: JobSpec, job: Job) -> None:
        if job.expires is not None and job.expires <= datetime.now(UTC):
            detail = f"the images of job {spec.id} were removed on {job.expires:%Y-%m-%d}; POST {job.links.rebuild}"
            raise ApiError(HTTPStatus.GONE, "job_expired", f"{detail} makes the same ones again")

    def _check_room(self, spec: JobSpec) -> None:
        """Raise when a job may fill the disk."""
        free = self._artifacts.free_bytes()
        needed = spec.n * 3 * spec.model.resolution**2 + self._settings.min_free_mb * 1_000_000
        if free is not None and free < needed:
            detail = f"the disk has room for {free // 1_000_000} MB, and this job may need {needed // 1_000_000} MB"
            raise ApiError(HTTPStatus.INSUFFICIENT_STORAGE, "disk_low", detail, retry_after_seconds=60)

    def _check_workers(self, spec: JobSpec) -> None:
        """Raise when no live worker renders what this job was rendered with, to the bit."""
        entries = {entry.name for entry in self._live.models().values() if entry.sha256 == spec.model.sha256}
        workers = [worker for worker in self._live.workers() if worker.numerics == spec.model.numerics]
        if not any(entries & set(worker.models) for worker in workers):
            detail = f"no live worker has the model {spec.model.name} ({spec.model.sha256[:12]}) of this job just now"
            raise unavailable("no_worker", detail)

    def _choose_model(
        self, name: str | None, unknown: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> tuple[CatalogEntry, list[WorkerEntry]]:
        """Choose a model, and the live workers of one kind that render it: the kind of which there are most."""
        entries = self._live.models()
        if not entries:
            raise _no_models()
        by_sha256 = {entry.sha256: entry for entry in entries.values()}
        chosen = (by_sha256 | entries).get(name if name is not None else self._default(entries))
        if chosen is None:
            detail = f"model: must be one of {_listed(entries)}, got {_cut(name)}"
            raise ApiError(unknown, "unknown_model", detail)
        workers = self._live.workers()
        able = [worker for worker in workers if chosen.name in worker.models]
        if not workers:
            return chosen, []  # all of them are just being started again, say
        if not able:
            raise unavailable("no_worker", f"no live worker has the model {chosen.name} just now")
        kinds = Counter(worker.numerics for worker in sorted(able, key=lambda worker: worker.numerics.name))
        ((numerics, _),) = kinds.most_common(1)
        peers = [worker for worker in able if worker.numerics == numerics]
        return chosen.model_copy(update={"numerics": numerics}), peers

    def _default(self, entries: dict[str, CatalogEntry]) -> str:
        preferred = self._settings.default_model
        return preferred if preferred in entries else next(iter(entries), "")

    def _specify(self, query: Wanted, owner: str, model: CatalogEntry, workers: list[WorkerEntry]) -> JobSpec:
        label = query.class_label
        if label is not None and label not in model.classes:
            wanted = (
                f"one of {_listed(model.classes)}" if model.classes else f"left out, as {model.name} has no classes"
            )
            raise unprocessable("unknown_class", f"class: must be {wanted}, got {_cut(label)}")
        style = query.styling
        if style is not None:
            self._check_style(style, owner, workers)
        return JobSpec(
            id=secrets.token_urlsafe(16),
            model=model,
            class_label=label,
            n=query.n,
            seed=secrets.randbelow(MAX_SEED + 1) if query.seed is None else query.seed,
            first=query.start,
            format=query.format,
            style=style,
            cut=_cut_styled(model) if style and style.mode == "standard" else self._cut(model, workers),
            owner=owner,
            created=datetime.now(UTC),
        )

    def _check_style(self, style: StyleSpec, owner: str, workers: list[WorkerEntry]) -> None:
        self._styles.check(owner, style.id)
        if not (workers and all(worker.styles for worker in workers)):
            raise unavailable("no_style_transfer", "the workers have no weights of VGG19 (IMAGEMILL_VGG19)")

    def _cut(self, model: CatalogEntry, workers: list[WorkerEntry]) -> Cut:
        """Cut a job so that a grown shard is about a second of work for one of its workers."""
        first = model.numerics.batch_size
        speeds = [worker.images_per_s for worker in workers if worker.images_per_s is not None]
        wanted = self._settings.shard_images or (median(speeds) * _SHARD_SECONDS if speeds else _UNMEASURED_SHARD)
        most = _MOST_SHARD_BYTES // (3 * model.resolution**2)
        return Cut(first=first, most=max(1, round(min(wanted, most) / first)) * first)


def _is_lost(spec: JobSpec, state: JobState | None) -> bool:
    """Tell whether a job's images will not come, or are gone; of one that has failed just now, it is not said yet."""
    if state is None:
        return False
    now = datetime.now(UTC)
    is_resting = state.outcome == "failed" and now - state.finished < _FAILED_REST
    return not is_resting and (state.outcome != "succeeded" or state.has_expired(spec, now))


def _cut_styled(model: CatalogEntry) -> Cut:
    """Cut a job of images that are optimised into single batches: each takes seconds."""
    return Cut(first=model.numerics.batch_size, most=model.numerics.batch_size)


def _no_models() -> ApiError:
    return unavailable("no_worker", "no worker has announced a model yet")


def _not_there(job: Job, what: str) -> ApiError:
    if job.done:
        detail = f"job {job.id} ended as {job.state}, {what} will not come"
        return ApiError(HTTPStatus.CONFLICT, f"job_{job.state}", detail)
    wait = min(max(1, math.ceil(job.eta_seconds or 1)), _MAX_RETRY_AFTER_SECONDS)
    detail = f"job {job.id} is {job.state}, {what} is not there yet ({job.images_done} of {job.n} images are)"
    return ApiError(HTTPStatus.CONFLICT, "not_ready", detail, retry_after_seconds=wait)


def _cut(sent: str | None) -> str:
    return repr(str(sent)[:_MOST_ECHOED])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
