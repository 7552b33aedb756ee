"""Errors that the service answers a request with."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

MOST_ECHOED = 100
"""Characters of a value that an error quotes."""


class ApiError(Exception):
    """A request that cannot be served, and what its sender may do about it."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        retry_after_seconds: int | None = None,
        headers: Mapping[str, str] | None = None,
        extension: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        """Set exactly when the same request may succeed later."""
        self.headers = headers or {}
        self.extension = extension or {}
        """Further members of the answer (RFC 9457, section 3.2)."""


def unprocessable(code: str, detail: str) -> ApiError:
    """Make the error for a value that can never be served."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail)


def unavailable(code: str, detail: str, extension: Mapping[str, Any] | None = None) -> ApiError:
    """Make the error for a part of the service that is away."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, code, detail, retry_after_seconds=2, extension=extension)


def echoed(sent: object) -> str:
    """Quote what was sent, cut to a length that an answer can have."""
    return repr(str(sent)[:MOST_ECHOED])


def listed(names: Iterable[str]) -> str:
    """List what could have been sent."""
    return ", ".join(sorted(names)) or "none"
