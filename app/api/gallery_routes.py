"""The HTTP endpoints of the gallery of a job: thumbnails, orders, picks and curation."""

from functools import partial
from http import HTTPStatus

from anyio import to_thread
from fastapi import Response

from app.api.dependencies import (
    CallerDep,
    CurationDep,
    OrderDep,
    PicksDep,
    ServicesDep,
    SheetDep,
    SpecDep,
    router_for_callers,
)
from app.api.job_response import set_accepted
from app.api.route_docs import binary_content, header_docs, problem_docs
from app.schemas.gallery import Picks
from app.schemas.parameter_types import WholeNumber
from app.schemas.responses import Job

_IMMUTABLE = "private, max-age=604800, immutable"
"""Cache-Control of a complete sheet: for as long as images are usually kept."""
_MAX_BODY_BYTES = 1 << 18
"""Largest body in bytes: ten thousand indices of 17 digits."""
_NOT_READY = problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE)

router = router_for_callers("query")
body_router = router_for_callers("body")
picks_router = router_for_callers()


@router.get(
    "/jobs/{job_id}/sheets/{k}.jpg",
    operation_id="get_sheet",
    tags=["jobs"],
    response_class=Response,
    responses={200: {"content": binary_content("image/jpeg")}, **_NOT_READY},
)
async def get_sheet(wanted: SheetDep, k: WholeNumber, services: ServicesDep) -> Response:
    """Return a sheet of thumbnails of a job: 16 x 16 of 64 px, or 8 x 8 of 128 px for models from 128 px on.

    Sheet k starts at image 256 k (or 64 k) of the gallery. A complete sheet never changes. With `have`, a sheet that is
    not complete has the thumbnails that exist.
    """
    draw = partial(services.gallery.sheet, wanted.spec, k, wanted.parameters)
    sheet = await to_thread.run_sync(draw, limiter=services.gallery.limiter)
    return Response(sheet.jpeg, media_type="image/jpeg", headers=_cache_control(is_complete=sheet.is_complete))


@router.get(
    "/jobs/{job_id}/order",
    operation_id="get_order",
    tags=["jobs"],
    response_class=Response,
    responses={200: {"content": binary_content()}, **_NOT_READY},
)
def get_order(wanted: OrderDep, services: ServicesDep) -> Response:
    """Return which images the sheets of the same parameters show, in their order.

    The response has an unsigned integer of 32 bits for each image, the least significant byte first: its index minus
    that of the first image of the job. While the job runs, images are only added at the end.
    """
    order = services.gallery.order(wanted.spec, wanted.parameters)
    headers = _cache_control(is_complete=order.is_complete)
    return Response(order.data, media_type="application/octet-stream", headers=headers)


@picks_router.get(
    "/jobs/{job_id}/picks",
    operation_id="get_picks",
    tags=["jobs"],
    responses=problem_docs(HTTPStatus.NOT_FOUND),
)
def get_picks(spec: SpecDep, services: ServicesDep) -> Picks:
    """Return the images of a job that the user excludes. Nothing happens to them before `curate`."""
    return services.gallery.picks.read(spec)


@body_router.put(
    "/jobs/{job_id}/picks",
    operation_id="put_picks",
    tags=["jobs"],
    max_body_size=_MAX_BODY_BYTES,
    responses=problem_docs(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
)
def put_picks(change: PicksDep, services: ServicesDep) -> Picks:
    """Replace the list of excluded images. It is removed together with the images of the job."""
    return services.gallery.picks.write(change.spec, change.parameters)


@body_router.post(
    "/jobs/{job_id}/curate",
    operation_id="curate_job",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    max_body_size=_MAX_BODY_BYTES,
    responses={
        200: {"model": Job, "description": "The new job has ended already.", "headers": header_docs("Location")},
        202: {"headers": header_docs("Location")},
        **_NOT_READY,
        **problem_docs(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.INSUFFICIENT_STORAGE,
            HTTPStatus.TOO_MANY_REQUESTS,
        ),
    },
)
async def curate_job(curation: CurationDep, caller: CallerDep, services: ServicesDep, response: Response) -> Job:
    """Create a new job whose dataset is that of a succeeded job without some images.

    The next image of the same class takes the place of each. Only these are rendered. A second request with the same
    indices returns the same new job.
    """
    curate = partial(services.jobs.curate, curation.spec, frozenset(curation.parameters.exclude), caller)
    return set_accepted(await to_thread.run_sync(curate, limiter=services.quota.limiter_for(caller)), response)


def _cache_control(*, is_complete: bool) -> dict[str, str]:
    return {"Cache-Control": _IMMUTABLE if is_complete else "no-store"}
