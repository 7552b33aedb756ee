"""The error that becomes the response to a request, and the words of its sentence."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

MAX_QUOTED_CHARACTERS = 100
"""Largest number of characters of a value that an error quotes."""


class ApiError(Exception):
    """A request that cannot be served, with the status, code and sentence of the response."""

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
        """Seconds until a retry may succeed. None if the same request can never succeed."""
        self.headers = headers or {}
        self.extension = extension or {}
        """Additional members of the problem document (RFC 9457, section 3.2)."""


def unprocessable(code: str, detail: str) -> ApiError:
    """Return the error for a value that is never valid."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail)


def unavailable(code: str, detail: str, extension: Mapping[str, Any] | None = None) -> ApiError:
    """Return the error for a part of the service that cannot be reached at the moment."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, code, detail, retry_after_seconds=2, extension=extension)


def quote_value(value: object) -> str:
    """Quote a received value, cut to `MAX_QUOTED_CHARACTERS`."""
    return repr(str(value)[:MAX_QUOTED_CHARACTERS])


def join_names(names: Iterable[str]) -> str:
    """Join the valid names in alphabetical order; "none" if there are none."""
    return ", ".join(sorted(names)) or "none"
