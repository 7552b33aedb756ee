"""The HTTP endpoints of single images, by job or by address."""

from functools import partial
from http import HTTPStatus

from anyio import to_thread
from fastapi import Request, Response

from app.api.dependencies import (
    CallerDep,
    ImageRequestDep,
    QuotaDep,
    ServiceDep,
    SpecDep,
    WatcherDep,
    router_for_callers,
)
from app.api.head_requests import add_head_routes
from app.api.negotiation import check_if_match, matches_if_none_match
from app.api.openapi_document import binary_content
from app.api.openapi_headers import header_docs
from app.api.problems import problem_docs
from app.schemas import WholeNumber
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store_errors import DamagedError

_IMMUTABLE = "private, max-age=31536000, immutable"
"""Cache-Control of a job's image: it may be cached for a year without revalidation."""
_IMAGE_CONTENT = binary_content("image/png", "image/webp", "image/jpeg")

router = router_for_callers()
_address_router = router_for_callers("query")


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
def image(spec: SpecDep, index: WholeNumber, suffix: str, service: ServiceDep, request: Request) -> Response:
    """Return one image of a job. It is available as soon as it is rendered, and its bytes never change."""
    sha256, data = service.reader.read_image_at(spec, index, suffix)
    return _image_response(spec, sha256, data, _IMMUTABLE, request)


def _image_response(spec: JobSpec, sha256: str, data: bytes, cache_control: str, request: Request) -> Response:
    headers = {"ETag": f'"{sha256}"', "Cache-Control": cache_control}
    check_if_match(headers["ETag"], request)
    if matches_if_none_match(headers["ETag"], request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, headers=headers, media_type=f"image/{spec.format}")


@_address_router.get(
    "/images/{model}/{seed}/{index}.{suffix}",
    operation_id="get_image_by_address",
    tags=["images"],
    response_class=Response,
    responses={
        200: {"content": _IMAGE_CONTENT, "headers": header_docs("ETag")},
        304: {"description": "The ETag in If-None-Match is current."},
        **problem_docs(
            HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.TOO_MANY_REQUESTS
        ),
    },
)
async def address(
    image_request: ImageRequestDep,
    caller: CallerDep,
    service: ServiceDep,
    quota: QuotaDep,
    watcher: WatcherDep,
    request: Request,
) -> Response:
    """Return the image of an address. All jobs of this model, seed, class and style have this image at this index.

    Without a class, the index selects the class, because images alternate between all classes.
    """
    find = partial(service.submit_image, image_request, caller)
    spec = await to_thread.run_sync(find, limiter=quota.limiter_for(caller))
    try:
        sha256, data = await watcher.wait_for_image(spec, request.is_disconnected)
    except DamagedError:  # the store has lost the image: check the job's files and render it again
        spec = await to_thread.run_sync(partial(find, is_checked=True), limiter=quota.limiter_for(caller))
        sha256, data = await watcher.wait_for_image(spec, request.is_disconnected)
    return _image_response(spec, sha256, data, "no-cache", request)


add_head_routes(router)
add_head_routes(_address_router)
router.routes.extend(_address_router.routes)
