"""Checks the API key of each request before its body is read."""

from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi.security.utils import get_authorization_scheme_param
from redis.exceptions import RedisError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.cors import has_listed_origin
from app.api.problem_response import problem_response
from app.api.session_cookie import is_same_origin, read_token
from app.auth.api_keys import Caller
from app.auth.key_file import KeyFile
from app.auth.sessions import Sessions
from app.errors import ApiError, unavailable

_PUBLIC_PATHS = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json", "/session", "/version"})
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_PUBLIC_PREFIX = "/ui/"
"""Files of the web page."""


class AuthMiddleware:
    """Adds the caller to each request, and rejects requests without a valid key.

    In a service without keys, every request has the same caller. Requests from pages of other sites are rejected there.
    """

    def __init__(
        self,
        app: ASGIApp,
        key_file: KeyFile | None,
        sessions: Sessions | None,
        origins: Collection[str],
        *,
        is_local_only: bool,
    ) -> None:
        self._app = app
        self._key_file = key_file
        self._sessions = sessions
        self._origins = origins
        self._is_local_only = is_local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or reject it."""
        if scope["type"] == "http":
            try:
                caller = await self._find_caller(scope)
            except ApiError as refusal:
                await problem_response(Request(scope), refusal)(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)

    async def _find_caller(self, scope: Scope) -> Caller:
        """Return the caller. Raises ApiError 401, 403 or 503."""
        if self._key_file is None:
            if self._is_cross_site(scope) or (self._is_local_only and _has_foreign_host(scope)):
                raise _cross_site_error()
            return Caller()
        # PrefixMiddleware has added the prefix to the path, and stored it in root_path.
        path = scope["path"].removeprefix(scope["root_path"])
        if path in _PUBLIC_PATHS or path.startswith(_PUBLIC_PREFIX):
            return Caller()
        authorization, token = Headers(scope=scope).get("Authorization"), read_token(scope)
        if authorization is None and token is not None:
            return await self._find_session(scope, token)
        scheme, secret = get_authorization_scheme_param(authorization)
        caller = self._key_file.find(secret) if scheme.lower() == "bearer" else None
        if caller is None:
            raise _unauthorized_error()
        return caller

    async def _find_session(self, scope: Scope, token: str) -> Caller:
        """Return the caller of a session. Raises ApiError."""
        try:
            caller = None if self._sessions is None else await self._sessions.find(token)
        except RedisError as error:
            raise unavailable("queue_unavailable", "the queue server has the sessions and cannot be reached") from error
        if caller is None:
            raise _unauthorized_error()
        if scope["method"] not in _SAFE_METHODS and not is_same_origin(Headers(scope=scope)):
            raise _foreign_page_error()
        return caller

    def _is_cross_site(self, scope: Scope) -> bool:
        """Return whether a page of another site, outside the listed origins, made the browser send this request.

        Following a link is allowed. Source: W3C Fetch Metadata Request Headers, 2024.
        """
        headers = Headers(scope=scope)
        is_link = scope["method"] in ("GET", "HEAD") and headers.get("Sec-Fetch-Mode") == "navigate"
        is_cross_site = headers.get("Sec-Fetch-Site") == "cross-site" and not has_listed_origin(headers, self._origins)
        return is_cross_site and not is_link


def _unauthorized_error() -> ApiError:
    detail = "a key is required: send `Authorization: Bearer KEY`; the command line sends the key in IMAGEMILL_KEY"
    return ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def _has_foreign_host(scope: Scope) -> bool:
    """Return whether the Host header is a foreign name. Any site can let its name point to loopback (DNS rebinding)."""
    host = Headers(scope=scope).get("Host")
    if host is None:
        return False  # browsers always send Host, so no page sent this request
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name != "localhost" and not name.endswith(".localhost"):
            ip_address(name)
    except ValueError:
        return True
    return False


def _foreign_page_error() -> ApiError:
    detail = "a session is for the page of this service; other clients send `Authorization: Bearer KEY`"
    return ApiError(HTTPStatus.FORBIDDEN, "cross_site", detail)


def _cross_site_error() -> ApiError:
    detail = (
        "a service without keys rejects pages of other sites and foreign host names, because any site could use it "
        "through a browser; list allowed origins in IMAGEMILL_CORS_ORIGINS, or set IMAGEMILL_OPEN=anyone to accept all "
        "host names"
    )
    return ApiError(HTTPStatus.FORBIDDEN, "cross_site", detail)
