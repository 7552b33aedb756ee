"""The response for an error: problem+json (RFC 9457)."""

from fastapi import Request
from fastapi.responses import JSONResponse

from app.errors import ApiError
from app.schemas.responses import Problem


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
