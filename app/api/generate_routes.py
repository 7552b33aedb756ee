"""The HTTP endpoint that creates jobs."""

from functools import partial
from http import HTTPStatus

from anyio import to_thread
from fastapi import Request, Response

from app.api.archive_response import archive_media_type, archive_response
from app.api.dependencies import (
    CallerDep,
    GenerateQueryDep,
    IdempotencyKey,
    ServicesDep,
    WaitDep,
    router_for_callers,
)
from app.api.job_response import set_accepted, wait_until_done
from app.api.negotiation import wants_archive
from app.api.request_parameters import MAX_BODY_BYTES
from app.api.route_docs import header_docs, problem_docs, query_or_body_docs
from app.auth.quota import rate_limit_headers
from app.schemas.responses import Job

# Caches must keep the job and the archive apart.
_NEGOTIATED = {"Vary": "Accept"}

router = router_for_callers("query", "body")


@router.post(
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
        202: {"headers": header_docs("Location", "Retry-After", "Preference-Applied", "RateLimit-Policy", "RateLimit")},
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
    services: ServicesDep,
    request: Request,
    response: Response,
    wait: WaitDep,
    idempotency_key: IdempotencyKey = None,
) -> Response | Job:
    """Create a job of n images. The Location header has its URL. `Prefer: wait=N` waits until the job has ended.

    Send each parameter in the query or in a JSON body, not in both. `n` is required.
    With `Accept: application/zip`, the response is the job's archive, like a download. The archive of
    `layout=webdataset` has the type `application/x-tar`.
    """
    submit = partial(services.jobs.submit, query, caller, idempotency_key)
    accepted, job = await to_thread.run_sync(submit, limiter=services.quota.limiter_for(caller))
    rate_limits = rate_limit_headers(caller, accepted.usage)
    media_type = archive_media_type(accepted.spec.format, accepted.spec.packing)
    if wants_archive(request.headers.getlist("Accept"), media_type):
        archive = await archive_response(services, accepted.spec, request, None if job.done else job)
        archive.headers.update(
            _NEGOTIATED | {"Location": job.links.self_, "Content-Location": job.links.download} | rate_limits
        )
        return archive
    # A job that ends while the request waits is answered with 200 instead of 202.
    job = await wait_until_done(services.watcher, accepted.spec, job, request, response, wait)
    response.headers.update(_NEGOTIATED | rate_limits)
    return set_accepted(job, response)
