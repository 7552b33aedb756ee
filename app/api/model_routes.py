"""The HTTP endpoints of models: the list, and the files of a model for the page."""

import re
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Path, Request, Response

from app.api.dependencies import ServicesDep, router_for_callers
from app.api.negotiation import check_if_match, matches_if_none_match
from app.api.route_docs import binary_content, header_docs, problem_docs
from app.cluster.model_files import ServedFile
from app.errors import ApiError, quote_value
from app.schemas.models import Model, ModelList
from worker.contracts.model_files import ModelFile

_IMMUTABLE = "private, max-age=31536000, immutable"
_REVALIDATED = "private, no-cache"
_MARKDOWN = "text/markdown; charset=utf-8"
_OBJECT = {"type": "object"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILES = frozenset({"engine-1.json", "weights-1.bin", "sliders.json"})
_MEDIA_TYPES = {".json": "application/json", ".bin": "application/octet-stream"}
_OTHERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "The ETag in If-None-Match is current."},
    **problem_docs(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED),
}

router = router_for_callers()


@router.get("/models", operation_id="list_models", tags=["models"])
def list_models(services: ServicesDep) -> ModelList:
    """List the models that can render images."""
    return ModelList(models=services.models.list_models(), set_aside=services.models.set_aside())


@router.get("/models/{name}", operation_id="get_model", tags=["models"], responses=problem_docs(HTTPStatus.NOT_FOUND))
def get_model(name: str, services: ServicesDep) -> Model:
    """Return one model."""
    return services.models.find(name)


@router.get(
    "/models/{name}/card",
    operation_id="get_model_card",
    tags=["models"],
    response_class=Response,
    responses={
        200: {"content": {"text/markdown": {"schema": {"type": "string"}}}, "headers": header_docs("ETag")},
        **_OTHERS,
    },
)
def get_model_card(name: str, services: ServicesDep, request: Request) -> Response:
    """Return the card of a model in Markdown: its training, its data and its limits."""
    return _response(services.model_files.read(_sha256(name, services), ModelFile.CARD), _MARKDOWN, request)


@router.get(
    "/models/{name}/pictures/{picture}.png",
    operation_id="get_model_picture",
    tags=["models"],
    response_class=Response,
    responses={
        200: {"content": binary_content("image/png"), "headers": header_docs("ETag")},
        **_OTHERS,
    },
)
def get_model_picture(
    name: str, picture: Literal["grid", "strip", "plots"], services: ServicesDep, request: Request
) -> Response:
    """Return a picture of the card: a grid of images, a strip of walks between images, or plots of the training."""
    file = services.model_files.read(_sha256(name, services), ModelFile(f"{picture}.png"))
    return _response(file, "image/png", request)


@router.get(
    "/models/{sha256}/{file}",
    operation_id="get_model_file",
    tags=["models"],
    response_class=Response,
    responses={
        200: {
            "content": {"application/json": {"schema": {"type": "object"}}}
            | binary_content("application/octet-stream"),
            "headers": header_docs("ETag"),
        },
        **_OTHERS,
    },
)
def get_model_file(
    sha256: str,
    file: Annotated[str, Path(description="`engine-1.json`, `weights-1.bin` or `sliders.json`.")],
    services: ServicesDep,
    request: Request,
) -> Response:
    """Return a file from which the page draws images in the browser."""
    if not _SHA256.fullmatch(sha256) or file not in _FILES:
        # Any other path below /models ends here, so it is unknown rather than invalid.
        raise ApiError(HTTPStatus.NOT_FOUND, "unknown_model", f"no file {quote_value(file)} of {quote_value(sha256)}")
    media_type = _MEDIA_TYPES[file[file.rindex(".") :]]
    return _response(services.model_files.read(sha256, ModelFile(file)), media_type, request)


def _sha256(name: str, services: ServicesDep) -> str:
    return services.models.find_entry(name, HTTPStatus.NOT_FOUND).sha256


def _response(file: ServedFile, media_type: str, request: Request) -> Response:
    headers = {"ETag": file.etag, "Cache-Control": _IMMUTABLE if file.is_immutable else _REVALIDATED}
    check_if_match(file.etag, request)
    if matches_if_none_match(file.etag, request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(file.data, headers=headers, media_type=media_type)
