"""The methods that a path supports."""

from collections.abc import Iterator

from fastapi import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(request: Request) -> list[str]:
    """Return all methods of a path. Starlette lists only the methods of the first route that matches."""
    scopes: Iterator[Scope] = ({**request.scope, "method": method} for method in _METHODS)
    return [scope["method"] for scope in scopes if any(_matches(route, scope) for route in request.app.routes)]


def _matches(route: BaseRoute, scope: Scope) -> bool:
    # A route of this path with another method is only a partial match.
    match, _ = route.matches(scope)
    return match is Match.FULL
