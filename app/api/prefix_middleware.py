"""Determines the path prefix of each request."""

from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import respond
from app.errors import ApiError
from app.path_prefix import checked, use

_HEADER = "X-Forwarded-Prefix"


class PrefixMiddleware:
    """Sets the prefix of each request from X-Forwarded-Prefix, or else from the settings.

    A proxy may strip the prefix from the path or keep it.
    """

    def __init__(self, app: ASGIApp, prefix: str, names: Collection[str]) -> None:
        self._app = app
        self._prefix = prefix
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request with its prefix, or reject it if the prefix is invalid."""
        if scope["type"] == "http":
            try:
                told = Headers(scope=scope).getlist(_HEADER)
                prefix = checked(", ".join(told)) if told else self._prefix
            except ValueError as error:
                refusal = ApiError(HTTPStatus.BAD_REQUEST, "bad_prefix", f"{_HEADER}: {error}")
                await respond(Request(scope), refusal)(scope, receive, send)
                return
            use(prefix)
            if prefix:
                scope = {**scope, "root_path": prefix, "path": self._whole_path(prefix, scope["path"])}
        await self._app(scope, receive, send)

    def _whole_path(self, prefix: str, path: str) -> str:
        """Return a path with the prefix. Some proxies keep it in the path, and some clients repeat it.

        A path that begins with one of the service's own segments has no prefix yet, even if the prefix is equal to it.
        """
        is_whole = path.startswith(f"{prefix}/") and path.split("/")[1] not in self._names
        return path if is_whole else prefix + path
