"""The HTTP endpoints of jobs that exist."""

from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.api.dependencies import CallerDep, ExtensionDep, ServicesDep, SpecDep, WaitDep, router_for_callers
from app.api.job_response import set_accepted, wait_until_done
from app.api.route_docs import header_docs, problem_docs
from app.schemas.responses import Job

router = router_for_callers()
extend_router = router_for_callers("query")


@router.get(
    "/jobs/{job_id}",
    operation_id="get_job",
    tags=["jobs"],
    responses={
        200: {"headers": header_docs("Retry-After", "Preference-Applied")},
        **problem_docs(HTTPStatus.NOT_FOUND),
    },
)
async def get_job(
    spec: SpecDep,
    services: ServicesDep,
    request: Request,
    response: Response,
    wait: WaitDep,
) -> Job:
    """Return the state of a job. `Prefer: wait=N` waits until it has ended, up to N seconds (60 at most)."""
    found = await run_in_threadpool(services.jobs.reader.get_job, spec)
    return await wait_until_done(services.watcher, spec, found, request, response, wait)


@router.get(
    "/jobs/{job_id}/events",
    operation_id="get_events",
    tags=["jobs"],
    response_class=EventSourceResponse,
    responses=problem_docs(HTTPStatus.NOT_FOUND),
)
async def get_events(spec: SpecDep, services: ServicesDep) -> AsyncIterator[ServerSentEvent]:
    """Send a server-sent event `progress` whenever the job changes, and a last event `end` when it has ended."""
    async for change in services.watcher.changes(spec):
        data = change.model_dump(mode="json", by_alias=True)
        yield ServerSentEvent(data=data, event="end" if change.done else "progress")


@router.post(
    "/jobs/{job_id}/cancel",
    operation_id="cancel_job",
    tags=["jobs"],
    responses=problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel_job(spec: SpecDep, services: ServicesDep) -> Job:
    """Cancel a job. Workers stop within one batch."""
    return services.jobs.cancel(spec)


@router.delete(
    "/jobs/{job_id}",
    operation_id="delete_job",
    tags=["jobs"],
    responses=problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def delete_job(spec: SpecDep, services: ServicesDep) -> Job:
    """Remove the images of a job now. A job that has not ended is cancelled first.

    The record stays: the job is still listed, and its rebuild makes the same images again. A second request changes
    nothing.
    """
    return services.jobs.delete(spec)


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
async def retry_job(spec: SpecDep, caller: CallerDep, services: ServicesDep, response: Response) -> Job:
    """Create a new job with the images of a failed or cancelled job. A second request returns the same new job."""
    again = partial(services.jobs.retry, spec, caller)
    return set_accepted(await to_thread.run_sync(again, limiter=services.quota.limiter_for(caller)), response)


@router.post(
    "/jobs/{job_id}/rebuild",
    operation_id="rebuild_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    responses=_REPEAT_RESPONSES,
)
async def rebuild_job(spec: SpecDep, caller: CallerDep, services: ServicesDep, response: Response) -> Job:
    """Create a new job that renders the removed images of a job again, with the same bytes.

    A second request returns the same new job.
    """
    again = partial(services.jobs.rebuild, spec, caller)
    return set_accepted(await to_thread.run_sync(again, limiter=services.quota.limiter_for(caller)), response)


@extend_router.post(
    "/jobs/{job_id}/extend",
    operation_id="extend_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    responses=_REPEAT_RESPONSES,
)
async def extend_job(extension: ExtensionDep, caller: CallerDep, services: ServicesDep, response: Response) -> Job:
    """Create a new job whose dataset is that of a succeeded job with n more images. Only the new ones are rendered.

    Its archive holds all images, like that of one job. A second request with the same n returns the same new job.
    """
    extend = partial(services.jobs.extend, extension.spec, extension.parameters.n, caller)
    return set_accepted(await to_thread.run_sync(extend, limiter=services.quota.limiter_for(caller)), response)
