"""The HTTP endpoint that describes a finished dataset in Croissant."""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from app.api.archive_response import archive_media_type
from app.api.dependencies import ServicesDep, SpecDep, router_for_callers
from app.api.route_docs import problem_docs
from app.provenance.croissant import ArchiveFile, describe_in_croissant

_MEDIA_TYPE = "application/ld+json"

router = router_for_callers()


@router.get(
    "/jobs/{job_id}/croissant.json",
    operation_id="get_croissant",
    tags=["jobs"],
    response_class=JSONResponse,
    responses={
        200: {"content": {_MEDIA_TYPE: {"schema": {"type": "object"}}}},
        **problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE),
    },
)
async def get_croissant(spec: SpecDep, services: ServicesDep, request: Request) -> JSONResponse:
    """Describe the dataset of a job in Croissant 1.0, with the checksum of its archive.

    The checksum is known soon after the end of the job. If it is not, the response waits until it is computed.
    """
    find = services.jobs.reader.find_finished_archive
    job, plan = await run_in_threadpool(find, spec, "the description of its dataset")
    archive = ArchiveFile(
        # Readers need an absolute URL. The link has the prefix under which a proxy publishes the service.
        url=f"{request.url.scheme}://{request.url.netloc}{job.links.download}",
        media_type=archive_media_type(spec.format, spec.packing),
        size=plan.size,
        sha256=await services.digests.sha256(spec, plan),
    )
    described: dict[str, Any] = describe_in_croissant(spec, job, archive)
    return JSONResponse(described, media_type=_MEDIA_TYPE)
