"""The HTTP endpoints of single images, by job or by address."""

from http import HTTPStatus

from fastapi import Request, Response

from app.api.dependencies import (
    CallerDep,
    ImageRequestDep,
    ServicesDep,
    SpecDep,
    router_for_callers,
)
from app.api.negotiation import check_if_match, matches_if_none_match
from app.api.route_docs import binary_content, header_docs, problem_docs
from app.schemas.gallery import ImageFacts
from app.schemas.parameter_types import WholeNumber
from worker.contracts.jobs import JobSpec

_IMMUTABLE = "private, max-age=31536000, immutable"
"""Cache-Control of a job's image: it may be cached for a year without revalidation."""
_IMAGE_CONTENT = binary_content("image/png", "image/webp", "image/jpeg")

router = router_for_callers()
address_router = router_for_callers("query")


@router.get(
    "/jobs/{job_id}/images/{index}.json",
    operation_id="get_image_facts",
    tags=["jobs"],
    responses=problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE),
)
def get_image_facts(spec: SpecDep, index: WholeNumber, services: ServicesDep) -> ImageFacts:
    """Return the class, the checksum, the score and the address of one image of a job."""
    return services.jobs.reader.find_image_facts(spec, index)


@router.get(
    "/jobs/{job_id}/images/{index}.{suffix}",
    operation_id="get_image",
    tags=["jobs"],
    response_class=Response,
    responses={
        200: {"content": _IMAGE_CONTENT, "headers": header_docs("ETag")},
        304: {"description": "The ETag in If-None-Match is current."},
        **problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED),
    },
)
def get_image(spec: SpecDep, index: WholeNumber, suffix: str, services: ServicesDep, request: Request) -> Response:
    """Return one image of a job. It is available as soon as it is rendered, and its bytes never change."""
    sha256, data = services.jobs.reader.read_image_at(spec, index, suffix)
    return image_response(spec, sha256, data, _IMMUTABLE, request)


def image_response(spec: JobSpec, sha256: str, data: bytes, cache_control: str, request: Request) -> Response:
    """Return the response with an image, or 304 if the client has it."""
    headers = {"ETag": f'"{sha256}"', "Cache-Control": cache_control}
    check_if_match(headers["ETag"], request)
    if matches_if_none_match(headers["ETag"], request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, headers=headers, media_type=f"image/{spec.format}")


@address_router.get(
    "/images/{model}/{seed}/{index}.{suffix}",
    operation_id="get_image_by_address",
    tags=["images"],
    response_class=Response,
    responses={
        200: {"content": _IMAGE_CONTENT, "headers": header_docs("ETag")},
        304: {"description": "The ETag in If-None-Match is current."},
        **problem_docs(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.PRECONDITION_FAILED,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.INSUFFICIENT_STORAGE,
        ),
    },
)
async def get_image_by_address(
    image_request: ImageRequestDep,
    caller: CallerDep,
    services: ServicesDep,
    request: Request,
) -> Response:
    """Return the image of an address. All jobs of this model, seed, class and style have this image at this index.

    Without a class, the index selects the class, because images alternate between all classes.
    """
    spec = await services.addresses.create_spec(image_request, caller)
    sha256, data = await services.addresses.render(spec, caller, request.is_disconnected)
    return image_response(spec, sha256, data, "no-cache", request)
