"""The HTTP endpoints of models and styles."""

from http import HTTPStatus
from typing import Annotated

from fastapi import File, Request, Response

from app.api.dependencies import CallerDep, ModelsDep, StylesDep, router_for_callers
from app.api.head_requests import add_head_routes
from app.api.openapi_document import binary_content
from app.api.openapi_headers import header_docs
from app.api.problems import problem_docs
from app.errors import unprocessable
from app.schemas import Model, ModelList, Style, StyleList
from app.styles.limits import MAX_UPLOAD_BYTES

_MOST_ECHOED = 100

router = router_for_callers()
_upload_router = router_for_callers("body")


@_upload_router.post(
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
    file: Annotated[bytes, File(description="PNG, JPEG or WebP.")],
    caller: CallerDep,
    styles: StylesDep,
    request: Request,
    response: Response,
) -> Style:
    """Upload an image as a style. Images with the same pixels are the same style, whatever their file format."""
    unknown_fields = sorted({*await request.form()} - {"file"})
    if unknown_fields:
        raise unprocessable(
            "invalid_request", f"{', '.join(unknown_fields)[:_MOST_ECHOED]}: no such field; send `file` alone"
        )
    style, is_new = await styles.add(caller.owner, file)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    response.headers["Location"] = style.thumbnail
    return style


@router.get("/styles", operation_id="list_styles", tags=["styles"])
def all_styles(caller: CallerDep, styles: StylesDep) -> StyleList:
    """List the styles."""
    return StyleList(styles=styles.list_styles(caller.owner))


@router.get(
    "/styles/{style_id}",
    operation_id="get_style",
    tags=["styles"],
    response_class=Response,
    responses={200: {"content": binary_content("image/png")}, **problem_docs(HTTPStatus.NOT_FOUND)},
)
def thumbnail(style_id: str, caller: CallerDep, styles: StylesDep) -> Response:
    """Return a small PNG of a style."""
    return Response(styles.thumbnail(caller.owner, style_id), media_type="image/png")


@router.get("/models", operation_id="list_models", tags=["models"])
def models(catalog: ModelsDep) -> ModelList:
    """List the models that can render images."""
    return ModelList(models=catalog.list_models(), set_aside=catalog.set_aside())


@router.get("/models/{name}", operation_id="get_model", tags=["models"], responses=problem_docs(HTTPStatus.NOT_FOUND))
def model(name: str, catalog: ModelsDep) -> Model:
    """Return one model."""
    return catalog.find(name)


add_head_routes(router)
router.routes.extend(_upload_router.routes)
