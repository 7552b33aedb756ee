"""The cookie of a browser's session, and the check that the page of this service has sent a request."""

from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.auth.sessions import SESSION_SECONDS
from app.path_prefix import add_prefix

_NAME = "imagemill_session"


def read_token(scope: Scope) -> str | None:
    """Return the token of a request's session, or None without a cookie."""
    return HTTPConnection(scope).cookies.get(_NAME)


def set_token(request: Request, response: Response, token: str) -> None:
    """Let the browser keep a token. Scripts cannot read it, and requests from other sites do not carry it."""
    response.set_cookie(
        _NAME,
        token,
        max_age=SESSION_SECONDS,
        path=add_prefix("/"),
        secure=_is_https(request),
        httponly=True,
        samesite="strict",
    )


def clear_token(request: Request, response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(_NAME, path=add_prefix("/"), secure=_is_https(request), httponly=True, samesite="strict")


def is_same_origin(headers: Headers) -> bool:
    """Return whether a page of this service sent a request. SameSite alone would admit other ports of this host.

    Browsers send Sec-Fetch-Site to https and loopback only. Elsewhere, the Origin decides. A proxy may change the Host.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    host = urlsplit(headers.get("Origin", "")).netloc
    return bool(host) and host in (headers.get("Host"), headers.get("X-Forwarded-Host"))


def _is_https(request: Request) -> bool:
    return "https" in (request.url.scheme, request.headers.get("X-Forwarded-Proto"))
