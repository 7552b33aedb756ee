"""Cross-origin requests: pages of the listed origins may use the service. By default, no origin is listed."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_ANY_ORIGIN = "*"
_METHODS = ("GET", "HEAD", "POST", "DELETE")
_EXPOSED_HEADERS = (
    "Content-Disposition",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Repr-Digest",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
"""Response headers that pages may read."""


def has_listed_origin(headers: Headers, origins: Collection[str]) -> bool:
    """Return whether the Origin header of a request names a listed origin."""
    origin = headers.get("Origin")
    return origin is not None and (_ANY_ORIGIN in origins or origin in origins)


class CorsMiddleware:
    """Adds CORS headers to the responses for listed origins. All other requests are forwarded unchanged."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins
        self._with_cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=_EXPOSED_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or respond to a browser's preflight request."""
        is_from_listed_origin = scope["type"] == "http" and has_listed_origin(Headers(scope=scope), self._origins)
        # Starlette's middleware would also answer the preflight requests of other origins.
        await (self._with_cors if is_from_listed_origin else self._app)(scope, receive, send)
