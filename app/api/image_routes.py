"""The HTTP endpoints of single images: those of jobs, and those of addresses."""

from functools import partial
from http import HTTPStatus

from anyio import to_thread
from fastapi import Request, Response

from app.api.dependencies import CallerDep, QuotaDep, ServiceDep, SpecDep, WaitingDep, WantedDep, router_for_callers
from app.api.head_requests import add_head_routes
from app.api.negotiation import check_match, is_known
from app.api.openapi_document import binary
from app.api.openapi_headers import described
from app.api.problems import documented
from app.schemas import Whole
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store_errors import DamagedError

_FOREVER = "private, max-age=31536000, immutable"
"""How an image of a job may be cached: for a year, without asking."""
_IMAGES = binary("image/png", "image/webp", "image/jpeg")

router = router_for_callers()
_addresses = router_for_callers("query")


@router.get(
    "/jobs/{job_id}/images/{index}.{suffix}",
    operation_id="get_image",
    tags=["jobs"],
    response_class=Response,
    responses={
        200: {"content": _IMAGES, "headers": described("ETag")},
        304: {"description": "The ETag that was sent is still right."},
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED),
    },
)
def image(spec: SpecDep, index: Whole, suffix: str, service: ServiceDep, request: Request) -> Response:
    """Send one image, as soon as it is there. Its bytes never change."""
    sha256, data = service.reader.read_image_at(spec, index, suffix)
    return _image(spec, sha256, data, _FOREVER, request)


def _image(spec: JobSpec, sha256: str, data: bytes, caching: str, request: Request) -> Response:
    headers = {"ETag": f'"{sha256}"', "Cache-Control": caching}
    check_match(headers["ETag"], request)
    if is_known(headers["ETag"], request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, headers=headers, media_type=f"image/{spec.format}")


@_addresses.get(
    "/images/{model}/{seed}/{index}.{suffix}",
    operation_id="get_image_by_address",
    tags=["images"],
    response_class=Response,
    responses={
        200: {"content": _IMAGES, "headers": described("ETag")},
        304: {"description": "The ETag that was sent is still right."},
        **documented(
            HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.TOO_MANY_REQUESTS
        ),
    },
)
async def address(
    wanted: WantedDep,
    caller: CallerDep,
    service: ServiceDep,
    turns: QuotaDep,
    waiting: WaitingDep,
    request: Request,
) -> Response:
    """Make the image of one address: the one that any job of that model, seed, class and style has at that index.

    Without a class, it is the class whose turn it is.
    """
    find = partial(service.submit_image, wanted, caller)
    spec = await to_thread.run_sync(find, limiter=turns.limiter_for(caller))
    try:
        sha256, data = await waiting.wait_for_image(spec, request.is_disconnected)
    except DamagedError:  # it is gone from the store, and made again
        spec = await to_thread.run_sync(partial(find, is_checked=True), limiter=turns.limiter_for(caller))
        sha256, data = await waiting.wait_for_image(spec, request.is_disconnected)
    return _image(spec, sha256, data, "no-cache", request)


add_head_routes(router)
add_head_routes(_addresses)
router.routes.extend(_addresses.routes)
