"""Cross-origin requests: pages of the listed origins may use the service. By default, no origin is listed."""

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
"""Response headers that pages may read."""


def is_listed(headers: Headers, origins: Collection[str]) -> bool:
    """Return whether the Origin header of a request names a listed origin."""
    origin = headers.get("Origin")
    return origin is not None and (_ANY in origins or origin in origins)


class CorsMiddleware:
    """Adds CORS headers to the responses for listed origins. All other requests are forwarded unchanged."""

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
        """Forward a request, or respond to a browser's preflight request."""
        is_page = scope["type"] == "http" and is_listed(Headers(scope=scope), self._origins)
        await (self._listed if is_page else self._app)(scope, receive, send)
