"""Determines the path prefix of each request."""

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import problem_response
from app.errors import ApiError
from app.path_prefix import set_prefix, validate_prefix

_HEADER = "X-Forwarded-Prefix"


class PrefixMiddleware:
    """Sets the prefix of each request from X-Forwarded-Prefix, or else from the settings.

    A proxy may strip the prefix from the path or keep it.
    """

    def __init__(self, app: ASGIApp, prefix: str, own_segments: Collection[str]) -> None:
        self._app = app
        self._prefix = prefix
        self._own_segments = own_segments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request with its prefix, or reject it if the prefix is invalid."""
        if scope["type"] == "http":
            try:
                forwarded = Headers(scope=scope).getlist(_HEADER)
                prefix = validate_prefix(", ".join(forwarded)) if forwarded else self._prefix
            except ValueError as error:
                refusal = ApiError(HTTPStatus.BAD_REQUEST, "bad_prefix", f"{_HEADER}: {error}")
                await problem_response(Request(scope), refusal)(scope, receive, send)
                return
            set_prefix(prefix)
            if prefix:
                scope = {**scope, "root_path": prefix, "path": self._with_prefix(prefix, scope["path"])}
        await self._app(scope, receive, send)

    def _with_prefix(self, prefix: str, path: str) -> str:
        """Return a path with the prefix. Some proxies keep it in the path, and some clients repeat it.

        A path that begins with one of the service's own segments has no prefix yet, even if the prefix is equal to it.
        """
        has_prefix = path.startswith(f"{prefix}/") and path.split("/")[1] not in self._own_segments
        return path if has_prefix else prefix + path
