"""The gate: where there are keys, a request without one comes no further, not even with its body."""

from http import HTTPStatus

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import ApiError, respond
from app.keyring import KeyRing
from app.keys import Caller

_OPEN = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})


class Gate:
    """Finds out who asks, for the endpoints behind it; without keys, that is everybody."""

    def __init__(self, app: ASGIApp, ring: KeyRing | None) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http":
            caller = self._caller(scope)
            if caller is None:
                await respond(Request(scope), _unauthorized())(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller | None:
        if self._ring is None or scope["path"] in _OPEN:
            return Caller()
        scheme, secret = get_authorization_scheme_param(Headers(scope=scope).get("Authorization"))
        return self._ring.find(secret) if scheme.lower() == "bearer" else None


def _unauthorized() -> ApiError:
    detail = "a key is required: `Authorization: Bearer KEY`; the command line sends the one in IMAGEMILL_KEY"
    return ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
