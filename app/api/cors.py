"""Pages of other origins that may use the service: those of a list, and none by default."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_ANY = "*"
_METHODS = ("GET", "HEAD", "POST")
_READABLE = (
    "Content-Disposition",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
"""Headers of answers that pages may read."""


def is_listed(headers: Headers, origins: Collection[str]) -> bool:
    """Tell whether a request comes from a page of a listed origin, as its browser says."""
    origin = headers.get("Origin")
    return origin is not None and (_ANY in origins or origin in origins)


class CorsMiddleware:
    """Answers what pages of listed origins ask; all other requests go on as they are."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins
        self._listed = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=_READABLE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer the question of a browser whether it may send one."""
        is_page = scope["type"] == "http" and is_listed(Headers(scope=scope), self._origins)
        await (self._listed if is_page else self._app)(scope, receive, send)
