"""The HTTP endpoints of jobs."""

from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.api.archive_response import ArchiveResponse, archive_etag
from app.api.dependencies import (
    CallerDep,
    GenerateQueryDep,
    IdempotencyKey,
    QuotaDep,
    ServiceDep,
    SpecDep,
    WaitDep,
    WatcherDep,
    router_for_callers,
)
from app.api.head_requests import add_head_routes
from app.api.negotiation import check_if_match, wants_archive
from app.api.openapi_document import binary_content, query_or_body_docs
from app.api.openapi_headers import header_docs
from app.api.problems import problem_docs
from app.api.request_parameters import MAX_BODY_BYTES
from app.archive_name import archive_suffix
from app.auth.quota import rate_limit_headers
from app.errors import ApiError
from app.jobs.job_service import JobService
from app.jobs.watcher import JobWatcher
from app.schemas import Job
from worker.contracts.jobs import JobSpec

_POLL_SECONDS = "1"
_ZIP_CONTENT = binary_content("application/zip")

_DOWNLOAD_PATHS = ("/jobs/{job_id}/download", "/jobs/{job_id}/download.{suffix}")
_OWN_HEAD_PATHS = (*_DOWNLOAD_PATHS, "/jobs/{job_id}/events")
"""Paths with their own HEAD. A download would build an unused body, and events would only end with their job."""
_NEGOTIATED = {"Vary": "Accept"}
_ACCEPTED_HEADERS = ("Location", "Retry-After", "Preference-Applied", "RateLimit-Policy", "RateLimit")

router = router_for_callers()
_generate_router = router_for_callers("query", "body")


def _accept(job: Job, response: Response) -> Job:
    response.status_code = HTTPStatus.OK if job.done else HTTPStatus.ACCEPTED
    response.headers["Location"] = job.links.self_
    return job


async def _archive_response(
    spec: JobSpec, service: JobService, request: Request, running: Job | None = None
) -> Response:
    """Return a response with the archive of a job. `running` is the job if the caller knows that it still runs."""
    found, plan = (running, None) if running else await run_in_threadpool(service.reader.find_archive, spec)
    archive = ArchiveResponse(request.app.state.store, request.app.state.notifications, spec, found)
    return archive.streaming(request) if plan is None else await archive.finished(plan, request)


async def _wait_until_done(
    watcher: JobWatcher, spec: JobSpec, job: Job, request: Request, response: Response, seconds: int
) -> Job:
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
        job = job if job.done else await watcher.wait_until_done(spec, seconds, request.is_disconnected)
    if not job.done:
        response.headers["Retry-After"] = _POLL_SECONDS
    return job


@_generate_router.post(
    "/generate",
    operation_id="generate",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Job,
    tags=["jobs"],
    max_body_size=MAX_BODY_BYTES,
    openapi_extra=query_or_body_docs(),
    responses={
        200: {
            # No application/zip: generated clients would have to tell a job from bytes in every answer.
            "model": Job,
            "description": "The job has ended already. With `Accept: application/zip`, the response is its archive.",
            "headers": header_docs(
                "Location", "Content-Location", "ETag", "Preference-Applied", "RateLimit-Policy", "RateLimit"
            ),
        },
        202: {"headers": header_docs(*_ACCEPTED_HEADERS)},
        **problem_docs(
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
    query: GenerateQueryDep,
    caller: CallerDep,
    service: ServiceDep,
    quota: QuotaDep,
    watcher: WatcherDep,
    request: Request,
    response: Response,
    wait: WaitDep,
    idempotency_key: IdempotencyKey = None,
) -> Response | Job:
    """Create a job of n images. The Location header has its URL. `Prefer: wait=N` waits until the job has ended.

    Send each parameter in the query or in a JSON body, not in both. `n` is required.
    With `Accept: application/zip`, the response is the job's archive, like a download.
    """
    submit = partial(service.submit, query, caller, idempotency_key)
    accepted, job = await to_thread.run_sync(submit, limiter=quota.limiter_for(caller))
    rate_limits = rate_limit_headers(caller, accepted.usage)
    if wants_archive(request.headers.getlist("Accept")):
        archive = await _archive_response(accepted.spec, service, request, None if job.done else job)
        archive.headers.update(
            _NEGOTIATED | {"Location": job.links.self_, "Content-Location": job.links.download} | rate_limits
        )
        return archive
    job = await _wait_until_done(watcher, accepted.spec, job, request, response, wait)
    response.headers.update(_NEGOTIATED | rate_limits)
    return _accept(job, response)


@router.get(
    "/jobs/{job_id}",
    operation_id="get_job",
    tags=["jobs"],
    responses={
        200: {"headers": header_docs("Retry-After", "Preference-Applied")},
        **problem_docs(HTTPStatus.NOT_FOUND),
    },
)
async def job(
    spec: SpecDep,
    service: ServiceDep,
    watcher: WatcherDep,
    request: Request,
    response: Response,
    wait: WaitDep,
) -> Job:
    """Return the state of a job. `Prefer: wait=N` waits until it has ended, up to N seconds (60 at most)."""
    found = await run_in_threadpool(service.reader.get_job, spec)
    return await _wait_until_done(watcher, spec, found, request, response, wait)


@router.get(
    "/jobs/{job_id}/events",
    operation_id="get_events",
    tags=["jobs"],
    response_class=EventSourceResponse,
    responses=problem_docs(HTTPStatus.NOT_FOUND),
)
async def events(spec: SpecDep, watcher: WatcherDep) -> AsyncIterator[ServerSentEvent]:
    """Send a server-sent event `progress` whenever the job changes, and a last event `end` when it has ended."""
    async for change in watcher.changes(spec):
        data = change.model_dump(mode="json", by_alias=True)
        yield ServerSentEvent(data=data, event="end" if change.done else "progress")


@router.head("/jobs/{job_id}/download", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/download",
    operation_id="download_job",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses={
        200: {"content": _ZIP_CONTENT, "headers": header_docs("ETag")},
        206: {
            "content": _ZIP_CONTENT,
            "description": "The requested range.",
            "headers": header_docs("ETag", "Content-Range"),
        },
        304: {"description": "The ETag in If-None-Match is current."},
        **problem_docs(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.GONE,
            HTTPStatus.PRECONDITION_FAILED,
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        ),
    },
)
async def download(spec: SpecDep, service: ServiceDep, request: Request) -> Response:
    """Send a job's dataset as a ZIP, which `datasets.load_dataset("imagefolder")` can load.

    `links.download` has a URL of the same archive that ends in .zip or .npz, because some libraries need it.
    While the job runs, the archive is streamed as images are rendered. A finished archive supports range requests.
    """
    check_if_match(archive_etag(spec), request)
    return await _archive_response(spec, service, request)


@router.head(_DOWNLOAD_PATHS[1], include_in_schema=False)
@router.get(_DOWNLOAD_PATHS[1], include_in_schema=False, response_class=StreamingResponse)
async def download_by_name(spec: SpecDep, suffix: str, service: ServiceDep, request: Request) -> Response:
    """Send a job's dataset, like `download`."""
    expected = archive_suffix(spec.format)
    if suffix != expected:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"the archive of job {spec.id} is download.{expected}")
    return await download(spec, service, request)


@router.post(
    "/jobs/{job_id}/cancel",
    operation_id="cancel_job",
    tags=["jobs"],
    responses=problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel(spec: SpecDep, service: ServiceDep) -> Job:
    """Cancel a job. Workers stop within one batch."""
    return service.cancel(spec)


_REPEAT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Job, "description": "The new job has ended already.", "headers": header_docs("Location")},
    202: {"headers": header_docs("Location")},
    **problem_docs(
        HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INSUFFICIENT_STORAGE, HTTPStatus.TOO_MANY_REQUESTS
    ),
}


@router.post(
    "/jobs/{job_id}/retry",
    operation_id="retry_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    responses=_REPEAT_RESPONSES,
)
async def retry(spec: SpecDep, caller: CallerDep, service: ServiceDep, quota: QuotaDep, response: Response) -> Job:
    """Create a new job with the images of a failed or cancelled job. A second request returns the same new job."""
    again = partial(service.retry, spec, caller)
    return _accept(await to_thread.run_sync(again, limiter=quota.limiter_for(caller)), response)


@router.post(
    "/jobs/{job_id}/rebuild",
    operation_id="rebuild_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    responses=_REPEAT_RESPONSES,
)
async def rebuild(spec: SpecDep, caller: CallerDep, service: ServiceDep, quota: QuotaDep, response: Response) -> Job:
    """Create a new job that renders the removed images of a job again, with the same bytes.

    A second request returns the same new job.
    """
    again = partial(service.rebuild, spec, caller)
    return _accept(await to_thread.run_sync(again, limiter=quota.limiter_for(caller)), response)


add_head_routes(router, _OWN_HEAD_PATHS)
router.routes[:0] = _generate_router.routes
