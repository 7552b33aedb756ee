"""Middleware that finds the path prefix of each request."""

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
    """Tells each request the prefix: what its proxy says in X-Forwarded-Prefix, or the one of the settings.

    The proxy may take the prefix off the path or leave it there.
    """

    def __init__(self, app: ASGIApp, prefix: str, names: Collection[str]) -> None:
        self._app = app
        self._prefix = prefix
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its prefix, or refuse one whose prefix is unusable."""
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
        """Put the prefix before a path, unless it is there: some proxies leave it, and some clients repeat it.

        A path that begins with one of the service's own names is never taken for one with a prefix.
        """
        is_whole = path.startswith(f"{prefix}/") and path.split("/")[1] not in self._names
        return path if is_whole else prefix + path
