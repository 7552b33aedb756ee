"""Reads jobs for the API: their state, archives and images. It changes nothing."""

import math
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus

from pydantic import TypeAdapter, ValidationError

from app.cluster.cluster_state import ClusterState, Progress
from app.errors import ApiError, quote_value
from app.jobs.committed_images import CommittedImages
from app.jobs.image_path import address_path
from app.jobs.lost_images import RETRY_DELAY
from app.jobs.not_kept import not_kept
from app.jobs.status import job_view, links_of
from app.schemas.gallery import ImageFacts
from app.schemas.responses import Job
from worker.contracts.choice import Choice
from worker.contracts.formats import SUFFIXES
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import JobId
from worker.contracts.store.archive_index import ArchivePlan, ShardIndex
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_JOB_ID: TypeAdapter[str] = TypeAdapter(JobId)
_MAX_RETRY_AFTER_SECONDS = 30


class JobReader:
    """Reads jobs. The methods raise ApiError.

    Only `find_spec` checks who owns a job. Every other method trusts its JobSpec, so callers must obtain it there.
    """

    def __init__(self, store: Store, cluster: ClusterState) -> None:
        self._store = store
        self._cluster = cluster
        self._committed = CommittedImages(store)

    def find_spec(self, job_id: str, owner: str) -> JobSpec:
        """Return the job of an owner. Another owner's job gives the same error as an unknown job."""
        try:
            spec = self._store.jobs.spec(_JOB_ID.validate_python(job_id))
        except ValidationError:
            spec = None
        if spec is None or spec.owner != owner:
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_job", f"no job {quote_value(job_id)}")
        return spec

    def get_job(self, spec: JobSpec) -> Job:
        """Return the current state and progress of a job."""
        state, choice = self._store.jobs.state(spec.id), self._choice(spec)
        return self._view(spec, state, choice)

    def get_listed_job(self, spec: JobSpec) -> Job:
        """Return a job for a list. It is quick: the choice of a job with a selection is not computed."""
        return self._view(spec, self._store.jobs.state(spec.id), None)

    def _view(self, spec: JobSpec, state: JobState | None, choice: Choice | None) -> Job:
        committed = self._committed.count(spec, state, choice)
        if state is None:
            return job_view(spec, None, self._cluster.progress(spec.id), datetime.now(UTC), choice, committed)
        # Redis forgets the progress of ended jobs. The store still knows which shards were committed.
        shards = () if state.outcome == "succeeded" else self._store.shards.committed(spec.id)
        images = {shard: len(spec.shard_indices(shard)) for shard in shards}
        started = state.started.timestamp() if state.started else None
        return job_view(spec, state, Progress(images, started), state.finished, choice, committed)

    def _choice(self, spec: JobSpec) -> Choice | None:
        """Return the choice of a job over its committed shards; None without a selection, or if they are damaged."""
        if spec.selection is not None:
            with suppress(DamagedError):
                return self._store.choices.current(spec)
        return None

    def find_archive(self, spec: JobSpec) -> tuple[Job, ArchivePlan | None]:
        """Return a job and the plan of its archive; the plan is None while the job runs.

        Raises ApiError if the job has no archive and will not get one.
        """
        job = self.get_job(spec)
        if job.done and job.state != "succeeded":
            raise not_available(job, "its archive")
        check_not_expired(job)
        plan = self._store.archives.plan(spec.id) if job.done else None
        if job.done and plan is None:
            raise DamagedError(f"the archive of job {spec.id} is missing")
        return job, plan

    def find_finished_archive(self, spec: JobSpec, what: str) -> tuple[Job, ArchivePlan]:
        """Return a job and the plan of its archive. Raises ApiError while the job runs: `what` is not ready then."""
        job, plan = self.find_archive(spec)
        if plan is None:
            raise not_available(job, what)
        return job, plan

    def read_image_at(self, spec: JobSpec, index: int, suffix: str) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of one image. Raises ApiError while its shard is not committed."""
        _check_file_exists(spec, index, suffix)
        return self._read(*self._require_image(spec, index))

    def find_image_facts(self, spec: JobSpec, index: int) -> ImageFacts:
        """Return the facts about one image. Raises ApiError like `read_image_at`."""
        _check_index(spec, index)
        shard, row = self._require_image(spec, index)
        candidates = shard.candidates
        score = candidates.scores[candidates.stored[row]] if candidates and candidates.scores else None
        template = links_of(spec).image
        return ImageFacts(
            index=index,
            seed=spec.seed,
            class_label=spec.class_name(index),
            sha256=shard.images.sha256s[row],
            score=score,
            address=address_path(spec, index),
            image=None if template is None else template.format(index=index),
        )

    def _require_image(self, spec: JobSpec, index: int) -> tuple[ShardIndex, int]:
        found = self._find_image(spec, index)
        if found is None:
            job = self.get_job(spec)
            check_not_expired(job)  # only now, because an expired image may be read until it is deleted
            if job.state != "succeeded":
                raise not_available(job, f"image {index}")
            found = self._find_image(spec, index)  # its shard may have been committed since the first search
        if found is None:
            raise DamagedError(f"the shard of image {index} of job {spec.id} is missing")
        return found

    def _find_image(self, spec: JobSpec, index: int) -> tuple[ShardIndex, int] | None:
        """Return the shard and the row of an image; None while its shard is not committed.

        Raises ApiError if the selection of the job rejects it.
        """
        piece = spec.find_piece(index)
        chosen = self._store.choices.chosen_shard(spec, piece)
        if spec.selection is None:
            return None if chosen is None else (chosen.index, index - piece.indices.start)
        choice = self._store.choices.current(spec)
        if chosen is None and not (choice.is_complete and index >= choice.next_index):
            return None
        row = None if chosen is None else chosen.row_of(index)
        if chosen is None or row is None:
            raise not_kept(spec, spec.selection, index, choice, chosen)
        return chosen.index, row

    def read_image(self, spec: JobSpec) -> tuple[str, bytes] | None:
        """Return the sha256 and the bytes of the image of a one-image job; None while it is not rendered.

        Raises DamagedError if the image is missing or corrupted.
        """
        if (shard := self._store.shards.index(spec.id, 0)) is not None:
            return self._read(shard, 0)
        state = self._store.jobs.state(spec.id)
        if state is None:
            return None
        if state.outcome == "succeeded":  # its shard may have been committed since the first search
            if (shard := self._store.shards.index(spec.id, 0)) is None:
                raise DamagedError(f"the shard of job {spec.id} is missing")
            return self._read(shard, 0)
        if state.error is None:
            detail = "the job of this image was cancelled"
            raise ApiError(HTTPStatus.CONFLICT, "not_rendered", detail, retry_after_seconds=1)
        wait = math.ceil(RETRY_DELAY.total_seconds())
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "not_rendered", state.error.message, retry_after_seconds=wait)

    def _read(self, shard: ShardIndex, position: int) -> tuple[str, bytes]:
        """Return the sha256 and the bytes of an image. Raises DamagedError if their checksum is wrong."""
        data = self._store.shards.image(shard, position)
        if zlib.crc32(data) != shard.images.crc32s[position]:
            raise DamagedError(f"an image in {shard.data} has a wrong checksum")
        return shard.images.sha256s[position], data


def _check_file_exists(spec: JobSpec, index: int, suffix: str) -> None:
    """Raise ApiError if a job has no image of this index and file type."""
    if spec.format == "npz" or suffix != SUFFIXES[spec.format]:
        own = "arrays" if spec.format == "npz" else f"INDEX.{SUFFIXES[spec.format]}"
        raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", f"the images of job {spec.id} are {own}")
    _check_index(spec, index)


def _check_index(spec: JobSpec, index: int) -> None:
    last = spec.first + spec.max_candidates - 1
    if not spec.first <= index <= last:
        detail = f"job {spec.id} has images {spec.first} to {last}, not {index}"
        raise ApiError(HTTPStatus.NOT_FOUND, "unknown_image", detail)


def check_not_expired(job: Job) -> None:
    """Raise ApiError if the images of a succeeded job were removed."""
    if job.state == "succeeded" and job.expires is not None and job.expires <= datetime.now(UTC):
        raise expired(job)


def expired(job: Job) -> ApiError:
    """Return the error for a succeeded job whose images were removed."""
    removed = f" on {job.expires:%Y-%m-%d}" if job.expires is not None else ""
    detail = f"the images of job {job.id} were removed{removed}; POST {job.links.rebuild}"
    return ApiError(HTTPStatus.GONE, "job_expired", f"{detail} renders the same ones again")


def not_available(job: Job, what: str) -> ApiError:
    """Return the error for a part of a job that is not ready, or will never be."""
    if job.done:
        detail = f"job {job.id} ended as {job.state}, so {what} will not be available"
        return ApiError(HTTPStatus.CONFLICT, f"job_{job.state}", detail)
    wait = min(max(1, math.ceil(job.eta_seconds or 1)), _MAX_RETRY_AFTER_SECONDS)
    detail = f"job {job.id} is {job.state}; {what} is not ready yet ({job.images_done} of {job.n} images are)"
    return ApiError(HTTPStatus.CONFLICT, "not_ready", detail, retry_after_seconds=wait)
