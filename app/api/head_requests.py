"""HEAD wherever GET is answered (RFC 9110, section 9.3.2); the server leaves the bodies out."""

from collections.abc import Collection

from fastapi import APIRouter
from fastapi.routing import APIRoute


def add_head_routes(router: APIRouter, others: Collection[str] = ()) -> None:
    """Let a router answer HEAD like GET, but for some paths that answer it in their own way."""
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
