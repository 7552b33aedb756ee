"""Responds to every error of the API with problem+json (RFC 9457)."""

import logging
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api.allowed_methods import allowed_methods
from app.api.invalid_parameters import InvalidParameters
from app.api.problem_response import problem_response
from app.errors import ApiError, unavailable, unprocessable
from worker.contracts.logs import fields
from worker.contracts.store.store_errors import DamagedError, StoreError, with_advice

log = logging.getLogger(__name__)


def install(app: FastAPI, max_images: int) -> None:
    """Respond to every error with problem+json."""
    # Starlette uses the handler of the nearest base class, so DamagedError has its own.
    app.exception_handler(ApiError)(problem_response)
    app.exception_handler(HTTPException)(_on_http_exception)
    invalid_parameters = partial(_on_validation_error, parameters=InvalidParameters(max_images))
    app.exception_handler(RequestValidationError)(invalid_parameters)
    app.exception_handler(ClientDisconnect)(_on_disconnect)
    app.exception_handler(RedisError)(_on_redis_error)
    app.exception_handler(StoreError)(_on_store_error)
    app.exception_handler(OSError)(_on_store_error)
    app.exception_handler(DamagedError)(_on_damage)
    app.exception_handler(Exception)(_on_exception)


def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    headers = error.headers
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(allowed_methods(request))}
    return problem_response(request, ApiError(status, code, detail, headers=headers))


def _on_validation_error(
    request: Request, error: RequestValidationError, parameters: InvalidParameters
) -> JSONResponse:
    return problem_response(request, unprocessable("invalid_request", parameters.describe(error.errors())))


def _on_disconnect(request: Request, _error: ClientDisconnect) -> JSONResponse:
    """Respond to a client that disconnected before its body was complete. The server drops this response."""
    return problem_response(request, ApiError(HTTPStatus.BAD_REQUEST, "bad_request", "the body is incomplete"))


def _on_redis_error(request: Request, error: RedisError) -> JSONResponse:
    log.warning("redis was not reached", extra=fields(path=request.url.path, reason=error))
    return problem_response(
        request, unavailable("queue_unavailable", "the queue server cannot be reached at the moment")
    )


def _on_damage(request: Request, error: DamagedError) -> JSONResponse:
    log.error("store is damaged", extra=fields(path=request.url.path, reason=error))
    detail = "the stored files of this job are missing or damaged; POST to its rebuild link to render them again"
    return problem_response(request, ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "artifact_damaged", detail))


def _on_store_error(request: Request, error: StoreError | OSError) -> JSONResponse:
    log.error("store failed", extra=fields(path=request.url.path, reason=error))
    # The object store wraps the error of the system, so only the text has its cause.
    if "No space left" in str(error):
        detail = "the artifact store is full"
        return problem_response(
            request, ApiError(HTTPStatus.INSUFFICIENT_STORAGE, "store_full", detail, retry_after_seconds=30)
        )
    detail = with_advice("the artifact store cannot be used at the moment", error)
    return problem_response(request, unavailable("store_unavailable", detail))


def _on_exception(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", extra=fields(path=request.url.path, error=type(error).__name__))
    detail = "internal error; the server's log has the details"
    return problem_response(request, ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail))
