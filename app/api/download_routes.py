"""The HTTP endpoints that send the archive of a job."""

from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from app.api.archive_response import archive_etag, archive_response
from app.api.dependencies import ServicesDep, SpecDep, router_for_callers
from app.api.negotiation import check_if_match
from app.api.route_docs import binary_content, header_docs, problem_docs
from app.archive_name import archive_suffix
from app.errors import ApiError

_ARCHIVE_CONTENT = binary_content("application/zip", "application/x-tar")

router = router_for_callers()


@router.get(
    "/jobs/{job_id}/download",
    operation_id="download_job",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses={
        200: {"content": _ARCHIVE_CONTENT, "headers": header_docs("ETag", "Repr-Digest")},
        206: {
            "content": _ARCHIVE_CONTENT,
            "description": "The requested range.",
            "headers": header_docs("ETag", "Content-Range", "Repr-Digest"),
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
async def download_job(spec: SpecDep, services: ServicesDep, request: Request) -> Response:
    """Send a job's dataset as a ZIP, which `datasets.load_dataset("imagefolder")` can load, or in another layout.

    `links.download` has a URL of the same archive that ends in .zip, .npz or .tar, because some libraries need it.
    While the job runs, the archive is streamed as images are rendered. A finished archive supports range requests.
    """
    check_if_match(archive_etag(spec), request)
    return await archive_response(services, spec, request)


@router.get("/jobs/{job_id}/download.{suffix}", include_in_schema=False, response_class=StreamingResponse)
async def download_job_by_name(spec: SpecDep, suffix: str, services: ServicesDep, request: Request) -> Response:
    """Send a job's dataset, like `download_job`."""
    expected = archive_suffix(spec.format, spec.packing)
    if suffix != expected:
        raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"the archive of job {spec.id} is download.{expected}")
    return await download_job(spec, services, request)
