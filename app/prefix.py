"""The path below which a proxy publishes the service, so that links lead back through the proxy."""

import re
from collections.abc import Collection
from contextvars import ContextVar
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import ApiError, echoed, respond

_HEADER = "X-Forwarded-Prefix"
_PATTERN = r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@%+:=-]+)*/?"
_SAFE = re.compile(_PATTERN, re.ASCII)
_ODD_ESCAPE = re.compile(r"%(?:[01]|2[EeFf]|7[Ff]|$|.$|[^0-9A-Fa-f]|.[^0-9A-Fa-f])")
"""The escape of a control character, a dot or a slash; or a % that begins no escape."""
_MOST_CHARACTERS = 255
_root: ContextVar[str] = ContextVar("root", default="")


def rooted(path: str) -> str:
    """Make the address of a path of this service, as the client of the current request reaches it."""
    return _root.get() + path


def checked(prefix: str) -> str:
    """Return a prefix without its last slash; raises ValueError for what is no plain path."""
    if len(prefix) > _MOST_CHARACTERS or not _SAFE.fullmatch(prefix) or _ODD_ESCAPE.search(prefix):
        raise ValueError(f"must be a path like /imagemill, got {echoed(prefix)}")
    return prefix.rstrip("/")


class Prefixed:
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
            _root.set(prefix)
            if prefix:
                scope = {**scope, "root_path": prefix, "path": self._whole_path(prefix, scope["path"])}
        await self._app(scope, receive, send)

    def _whole_path(self, prefix: str, path: str) -> str:
        """Put the prefix before a path, unless it is there: some proxies leave it, and some clients repeat it.

        A path that begins with one of the service's own names is never taken for one with a prefix.
        """
        is_whole = path.startswith(f"{prefix}/") and path.split("/")[1] not in self._names
        return path if is_whole else prefix + path
