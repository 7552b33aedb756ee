"""Responds to every error of the API with problem+json (RFC 9457)."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import MAX_QUOTED_CHARACTERS, ApiError, quote_value, unavailable, unprocessable
from app.schemas import MAX_SEED, MAX_START, Problem
from worker.contracts.store.store_errors import DamagedError, StoreError, with_advice

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_MAX_FAULTS = 10
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
log = logging.getLogger(__name__)


def install(app: FastAPI, max_images: int) -> None:
    """Respond to every error with problem+json."""
    app.add_middleware(BodyTooLargeMiddleware)
    app.exception_handler(ApiError)(problem_response)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.state.limits = {"n": (1, max_images), "seed": (0, MAX_SEED), "index": (0, MAX_SEED), "start": (0, MAX_START)}
    app.exception_handler(RequestValidationError)(_on_validation_error)
    app.exception_handler(ClientDisconnect)(_on_disconnect)
    app.exception_handler(RedisError)(_on_redis_error)
    app.exception_handler(StoreError)(_on_store_error)
    app.exception_handler(OSError)(_on_store_error)
    app.exception_handler(DamagedError)(_on_damage)
    app.exception_handler(Exception)(_on_exception)


class BodyTooLargeMiddleware:
    """Replaces FastAPI's plain-text response to a body that is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, and replace a response with the status 413."""
        replaced = False

        async def send_translated(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == _TOO_LARGE:
                replaced = True
                error = ApiError(_TOO_LARGE, "body_too_large", "the body is larger than this endpoint accepts")
                await problem_response(Request(scope), error)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_translated)


def problem_docs(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of an endpoint's error responses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status): {"description": status.phrase, "content": content} for status in statuses}


def problem_response(request: Request, error: ApiError) -> JSONResponse:
    """Return the response for an error."""
    problem = Problem(
        type=f"urn:imagemill:problem:{error.code}",
        title=error.status.phrase,
        status=error.status,
        detail=error.detail,
        instance=request.url.path,
        code=error.code,
        retryable=error.retry_after_seconds is not None,
    )
    wait = {} if error.retry_after_seconds is None else {"Retry-After": str(error.retry_after_seconds)}
    return JSONResponse(
        {**problem.model_dump(), **error.extension},
        status_code=error.status,
        headers={**error.headers, **wait},
        media_type="application/problem+json",
    )


def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    headers = (
        {"Allow": ", ".join(_allowed_methods(request))} if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    )
    return problem_response(request, ApiError(status, code, detail, headers=headers))


def _allowed_methods(request: Request) -> list[str]:
    """Return all methods of a path. Starlette lists only the methods of the first route that matches."""
    scopes: Iterator[Scope] = ({**request.scope, "method": method} for method in _METHODS)
    return [scope["method"] for scope in scopes if any(_matches(route, scope) for route in request.app.routes)]


def _matches(route: BaseRoute, scope: Scope) -> bool:
    match, _ = route.matches(scope)
    return match is Match.FULL


def _on_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = error.errors()
    sentences = [_describe(fault, request.app.state.limits) for fault in faults[:_MAX_FAULTS]]
    sentences += [f"and {len(faults) - _MAX_FAULTS} more"] if len(faults) > _MAX_FAULTS else []
    detail = "; ".join(sentences)
    return problem_response(request, unprocessable("invalid_request", detail))


def _describe(fault: Mapping[str, Any], limits: Mapping[str, tuple[int, int]]) -> str:
    location: Sequence[str | int] = fault["loc"]
    name = str(location[-1])[:MAX_QUOTED_CHARACTERS]
    if fault["type"] == "missing":
        return f"{name}: required, but missing"
    if fault["type"] == "extra_forbidden":
        return f"{name}: no such parameter"
    received = quote_value(fault["input"] if isinstance(fault["input"], str) else _as_json(fault["input"]))
    if name in limits and fault["type"] != "not_a_number":
        low, high = limits[name]
        return f"{name}: must be a whole number between {low} and {high}, got {received}"
    return f"{name}: {fault['msg'][:1].lower()}{fault['msg'][1:]}, got {received}"


def _on_disconnect(request: Request, _error: ClientDisconnect) -> JSONResponse:
    """Respond to a client that disconnected before its body was complete. The server drops this response."""
    return problem_response(request, ApiError(HTTPStatus.BAD_REQUEST, "bad_request", "the body is incomplete"))


def _as_json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _on_redis_error(request: Request, error: RedisError) -> JSONResponse:
    log.warning("redis was not reached path=%s reason=%s", request.url.path, error)
    return problem_response(
        request, unavailable("queue_unavailable", "the queue server cannot be reached at the moment")
    )


def _on_damage(request: Request, error: DamagedError) -> JSONResponse:
    log.error("store is damaged path=%s reason=%s", request.url.path, error)
    detail = "the stored files of this job are missing or damaged; POST to its rebuild link to render them again"
    return problem_response(request, ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "artifact_damaged", detail))


def _on_store_error(request: Request, error: StoreError | OSError) -> JSONResponse:
    log.error("store failed path=%s reason=%s", request.url.path, error)
    if "No space left" in str(error):
        detail = "the artifact store is full"
        return problem_response(
            request, ApiError(HTTPStatus.INSUFFICIENT_STORAGE, "store_full", detail, retry_after_seconds=30)
        )
    detail = with_advice("the artifact store cannot be used at the moment", error)
    return problem_response(request, unavailable("store_unavailable", detail))


def _on_exception(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed path=%s error=%s", request.url.path, type(error).__name__)
    detail = "internal error; the server's log has the details"
    return problem_response(request, ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail))
