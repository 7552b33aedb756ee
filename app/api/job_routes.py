"""The HTTP endpoints of jobs and their images, each one line of work."""

from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.api.archive_response import ArchiveResponse, etag_of
from app.api.dependencies import (
    AskedDep,
    CallerDep,
    IdempotencyKey,
    QuotaDep,
    ServiceDep,
    SpecDep,
    WaitDep,
    WaitingDep,
    router_for_callers,
)
from app.api.head_requests import add_head_routes
from app.api.negotiation import check_match, wants_archive
from app.api.openapi_document import binary, either_way
from app.api.openapi_headers import described
from app.api.problems import documented
from app.api.request_parameters import MOST_BODY_BYTES
from app.archive_name import archive_suffix
from app.auth import quota
from app.errors import ApiError
from app.jobs.job_service import JobService
from app.jobs.watcher import JobWatcher
from app.schemas import Job
from worker.contracts.jobs import JobSpec

_POLL_SECONDS = "1"
_ZIP = binary("application/zip")

_DOWNLOADS = ("/jobs/{job_id}/download", "/jobs/{job_id}/download.{suffix}")
_OWN_HEADS = (*_DOWNLOADS, "/jobs/{job_id}/events")
"""One has a body that would be made in vain, the other one that does not end before its job."""
_NEGOTIATED = {"Vary": "Accept"}
_ACCEPTED_HEADERS = ("Location", "Retry-After", "Preference-Applied", "RateLimit-Policy", "RateLimit")

router = router_for_callers()
_asking = router_for_callers("query", "body")


def _accepted(job: Job, response: Response) -> Job:
    response.status_code = HTTPStatus.OK if job.done else HTTPStatus.ACCEPTED
    response.headers["Location"] = job.links.self_
    return job


async def _archive(spec: JobSpec, service: JobService, request: Request, running: Job | None = None) -> Response:
    """Send the archive of a job, which is known to run or is looked up."""
    found, plan = (running, None) if running else await run_in_threadpool(service.reader.find_archive, spec)
    sent = ArchiveResponse(request.app.state.store, request.app.state.bell, spec, found)
    return sent.growing(request) if plan is None else await sent.whole(plan, request)


async def _waited(
    waiting: JobWatcher, spec: JobSpec, job: Job, request: Request, response: Response, seconds: int
) -> Job:
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
        job = job if job.done else await waiting.wait_until_done(spec, seconds, request.is_disconnected)
    if not job.done:
        response.headers["Retry-After"] = _POLL_SECONDS
    return job


@_asking.post(
    "/generate",
    operation_id="generate",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Job,
    tags=["jobs"],
    max_body_size=MOST_BODY_BYTES,
    openapi_extra=either_way(),
    responses={
        200: {
            # No application/zip: generated clients would have to tell a job from bytes in every answer.
            "model": Job,
            "description": "The job has ended already. To `Accept: application/zip`, its archive instead.",
            "headers": described(
                "Location", "Content-Location", "ETag", "Preference-Applied", "RateLimit-Policy", "RateLimit"
            ),
        },
        202: {"headers": described(*_ACCEPTED_HEADERS)},
        **documented(
            HTTPStatus.CONFLICT,
            HTTPStatus.GONE,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.INSUFFICIENT_STORAGE,
            HTTPStatus.TOO_MANY_REQUESTS,
        ),
    },
)
async def generate(
    query: AskedDep,
    caller: CallerDep,
    service: ServiceDep,
    turns: QuotaDep,
    waiting: WaitingDep,
    request: Request,
    response: Response,
    wait: WaitDep,
    idempotency_key: IdempotencyKey = None,
) -> Response | Job:
    """Accept a job of n images; its Location tells the rest. With `Prefer: wait=N`, answer when it has ended.

    Each parameter is sent in the query or in a JSON body, not in both; `n` is required.
    With `Accept: application/zip`, answer with the job's archive at once, as its download does.
    """
    submit = partial(service.submit, query, caller, idempotency_key)
    accepted, job = await to_thread.run_sync(submit, limiter=turns.limiter_for(caller))
    limits = quota.rate_limit_headers(caller, accepted.usage)
    if wants_archive(request.headers.getlist("Accept")):
        archive = await _archive(accepted.spec, service, request, None if job.done else job)
        archive.headers.update(
            _NEGOTIATED | {"Location": job.links.self_, "Content-Location": job.links.download} | limits
        )
        return archive
    job = await _waited(waiting, accepted.spec, job, request, response, wait)
    response.headers.update(_NEGOTIATED | limits)
    return _accepted(job, response)


@router.get(
    "/jobs/{job_id}",
    operation_id="get_job",
    tags=["jobs"],
    responses={
        200: {"headers": described("Retry-After", "Preference-Applied")},
        **documented(HTTPStatus.NOT_FOUND),
    },
)
async def job(
    spec: SpecDep,
    service: ServiceDep,
    waiting: WaitingDep,
    request: Request,
    response: Response,
    wait: WaitDep,
) -> Job:
    """Tell how a job is doing. With `Prefer: wait=N`, answer when it has ended, or after N seconds (60 at most)."""
    found = await run_in_threadpool(service.reader.get_job, spec)
    return await _waited(waiting, spec, found, request, response, wait)


@router.get(
    "/jobs/{job_id}/events",
    operation_id="get_events",
    tags=["jobs"],
    response_class=EventSourceResponse,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def events(spec: SpecDep, waiting: WaitingDep) -> AsyncIterator[ServerSentEvent]:
    """Tell whenever a job gets on, as server-sent events named `progress`, the last one `end`."""
    async for news in waiting.changes(spec):
        data = news.model_dump(mode="json", by_alias=True)
        yield ServerSentEvent(data=data, event="end" if news.done else "progress")


@router.head("/jobs/{job_id}/download", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/download",
    operation_id="download_job",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses={
        200: {"content": _ZIP, "headers": described("ETag")},
        206: {
            "content": _ZIP,
            "description": "The range that was asked for.",
            "headers": described("ETag", "Content-Range"),
        },
        304: {"description": "The ETag that was sent is still right."},
        **documented(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.GONE,
            HTTPStatus.PRECONDITION_FAILED,
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        ),
    },
)
async def download(spec: SpecDep, service: ServiceDep, request: Request) -> Response:
    """Send a job's dataset as a ZIP that `datasets.load_dataset("imagefolder")` reads.

    `links.download` has the same at an address that ends in .zip (or .npz), as some readers want.
    It can be asked for at once: while the job runs, the archive grows as its images are rendered. Of a finished one,
    any range can be had.
    """
    check_match(etag_of(spec), request)
    return await _archive(spec, service, request)


@router.head(_DOWNLOADS[1], include_in_schema=False)
@router.get(_DOWNLOADS[1], include_in_schema=False, response_class=StreamingResponse)
async def download_by_name(spec: SpecDep, suffix: str, service: ServiceDep, request: Request) -> Response:
    """Send a job's dataset, as `download` does."""
    right = archive_suffix(spec.format)
    if suffix != right:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"the archive of job {spec.id} is download.{right}")
    return await download(spec, service, request)


@router.post(
    "/jobs/{job_id}/cancel",
    operation_id="cancel_job",
    tags=["jobs"],
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel(spec: SpecDep, service: ServiceDep) -> Job:
    """End a job early; it takes effect within one batch."""
    return service.cancel(spec)


_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": Job, "description": "It has ended already.", "headers": described("Location")},
    202: {"headers": described("Location")},
    **documented(
        HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INSUFFICIENT_STORAGE, HTTPStatus.TOO_MANY_REQUESTS
    ),
}


@router.post(
    "/jobs/{job_id}/retry",
    operation_id="retry_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    responses=_AGAIN,
)
async def retry(spec: SpecDep, caller: CallerDep, service: ServiceDep, turns: QuotaDep, response: Response) -> Job:
    """Make the images of a job that failed or was cancelled, in a new job; asked for twice, it is the same one."""
    again = partial(service.retry, spec, caller)
    return _accepted(await to_thread.run_sync(again, limiter=turns.limiter_for(caller)), response)


@router.post(
    "/jobs/{job_id}/rebuild",
    operation_id="rebuild_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    responses=_AGAIN,
)
async def rebuild(spec: SpecDep, caller: CallerDep, service: ServiceDep, turns: QuotaDep, response: Response) -> Job:
    """Make the images of a job that have been removed, the same to the bit, in a new job; twice, it is the same one."""
    again = partial(service.rebuild, spec, caller)
    return _accepted(await to_thread.run_sync(again, limiter=turns.limiter_for(caller)), response)


add_head_routes(router, _OWN_HEADS)
router.routes[:0] = _asking.routes
