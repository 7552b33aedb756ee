"""HEAD requests for all paths that support GET (RFC 9110, section 9.3.2). The server omits the bodies."""

from collections.abc import Collection

from fastapi import APIRouter
from fastapi.routing import APIRoute


def add_head_routes(router: APIRouter, others: Collection[str] = ()) -> None:
    """Add a HEAD route for each GET route of a router, except paths in `others`, which have their own."""
    for route in list(router.routes):
        if isinstance(route, APIRoute) and route.methods == {"GET"} and route.path not in others:
            router.add_api_route(
                route.path,
                route.endpoint,
                methods=["HEAD"],
                include_in_schema=False,
                dependencies=route.dependencies,
                response_class=route.response_class,
                response_model_exclude_none=route.response_model_exclude_none,
            )
