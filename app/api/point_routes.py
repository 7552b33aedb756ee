"""The HTTP endpoints of points: the exact image of a point, and previews."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.dependencies import CallerDep, ServicesDep, router_for_callers
from app.api.image_routes import image_response
from app.api.route_docs import binary_content, header_docs, problem_docs
from app.errors import unprocessable
from app.schemas.previews import PreviewRequest
from worker.contracts.formats import Format
from worker.contracts.points import Point, PointError, parse_point

_MAX_BODY_BYTES = 1 << 18
_MAX_CHARACTERS = 4096

router = router_for_callers("query")
preview_router = router_for_callers("body")

_Text = Annotated[str, Field(max_length=_MAX_CHARACTERS)]


class PointQuery(BaseModel):
    """The parameters of a point."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: _Text = Field(description="Latents, `SEED:INDEX` or `SEED:INDEX*WEIGHT`, separated by commas.")
    shift: _Text = Field(default="", description="Standard deviations along sliders, `NAME:1.2,NAME:-0.5`.")
    classes: _Text = Field(
        default="", description="Weights of classes, `NAME:1`. If omitted, the first index selects the class."
    )
    truncation: _Text = Field(default="", description="Factor of the sum of the latents, from 0 to 2. Default: 1.")
    sliders: _Text = Field(
        default="", description="First 8 digits of the SHA-256 of the model's sliders. Required with `shift`."
    )


async def _parse_point(query: Annotated[PointQuery, Query()]) -> Point:
    try:
        return parse_point(**dict(query))
    except PointError as error:
        raise unprocessable("invalid_point", str(error)) from error


@router.get(
    "/images/{model}/at.{suffix}",
    operation_id="get_image_of_point",
    tags=["images"],
    response_class=Response,
    responses={
        200: {
            "content": binary_content("image/png", "image/webp", "image/jpeg"),
            "headers": header_docs("ETag"),
        },
        304: {"description": "The ETag in If-None-Match is current."},
        **problem_docs(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED),
    },
)
async def get_image_of_point(
    model: Annotated[str, Path(description="Name of a model from /models, or its sha256.")],
    suffix: Literal["png", "webp", "jpg"],
    point: Annotated[Point, Depends(_parse_point)],
    caller: CallerDep,
    services: ServicesDep,
    request: Request,
) -> Response:
    """Return the image of a point between latents. The same address always has the same bytes.

    `at=1:0` alone is the image of the address /images/{model}/1/0.
    """
    image_format: Format = "jpeg" if suffix == "jpg" else suffix
    spec = await services.points.create_spec(point, model, image_format, caller)
    sha256, data = await services.points.render(spec, caller, request.is_disconnected)
    return image_response(spec, sha256, data, "no-cache", request)


@preview_router.post(
    "/preview",
    operation_id="preview",
    tags=["images"],
    response_class=Response,
    max_body_size=_MAX_BODY_BYTES,
    responses={
        200: {"content": binary_content("image/png", "image/jpeg"), "headers": header_docs("ETag")},
        **problem_docs(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        ),
    },
)
async def preview(body: PreviewRequest, caller: CallerDep, services: ServicesDep, request: Request) -> Response:
    """Draw the images of up to 64 points at once: one JPEG, row by row. One point gives its exact PNG.

    A preview is no job, and nothing is stored. It is given up after 2 s.
    """
    picture = await services.points.preview(body, caller, request.is_disconnected)
    headers = {"ETag": f'"{picture.sha256}"', "Cache-Control": "no-store"}
    return Response(picture.data, headers=headers, media_type=picture.media_type)
