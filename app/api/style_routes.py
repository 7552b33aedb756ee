"""The HTTP endpoints of styles."""

from http import HTTPStatus

from fastapi import Response

from app.api.dependencies import CallerDep, ServicesDep, router_for_callers
from app.api.route_docs import binary_content, header_docs, problem_docs
from app.api.uploads import UploadDep
from app.schemas.responses import Style, StyleList
from app.styles.limits import MAX_UPLOAD_BYTES

router = router_for_callers()
upload_router = router_for_callers("body")


@upload_router.post(
    "/styles",
    operation_id="add_style",
    status_code=HTTPStatus.CREATED,
    tags=["styles"],
    max_body_size=MAX_UPLOAD_BYTES,
    form_limits={"max_files": 1, "max_fields": 8, "max_part_size": 1024},
    responses={
        200: {"model": Style, "description": "The style existed already."},
        201: {"headers": header_docs("Location")},
        **problem_docs(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.INSUFFICIENT_STORAGE,
        ),
    },
)
async def add_style(
    file: UploadDep,
    caller: CallerDep,
    services: ServicesDep,
    response: Response,
) -> Style:
    """Upload an image as a style. Images with the same pixels are the same style, whatever their file format."""
    style, is_new = await services.styles.add(caller.owner, file)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    response.headers["Location"] = style.thumbnail
    return style


@router.get("/styles", operation_id="list_styles", tags=["styles"])
def list_styles(caller: CallerDep, services: ServicesDep) -> StyleList:
    """List the styles."""
    return StyleList(styles=services.styles.list_styles(caller.owner))


@router.get(
    "/styles/{style_id}",
    operation_id="get_style",
    tags=["styles"],
    response_class=Response,
    responses={200: {"content": binary_content("image/png")}, **problem_docs(HTTPStatus.NOT_FOUND)},
)
def get_style(style_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """Return a small PNG of a style."""
    return Response(services.styles.thumbnail(caller.owner, style_id), media_type="image/png")


@router.delete(
    "/styles/{style_id}",
    operation_id="delete_style",
    status_code=HTTPStatus.NO_CONTENT,
    tags=["styles"],
    response_class=Response,
    responses=problem_docs(HTTPStatus.NOT_FOUND),
)
def delete_style(style_id: str, caller: CallerDep, services: ServicesDep) -> None:
    """Remove a style. Datasets that took it stay, and jobs that have not ended go on.

    A job of a removed style cannot be repeated until the same image is uploaded again.
    """
    services.styles.remove(caller.owner, style_id)
