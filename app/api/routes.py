"""All routes of the API."""

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import (
    catalog_routes,
    croissant_routes,
    download_routes,
    estimate_routes,
    generate_routes,
    health_routes,
    image_routes,
    job_list_routes,
    job_routes,
    manifest_routes,
    page_routes,
    point_routes,
    verify_routes,
)

# The document lists the endpoints in this order.
_ROUTERS = (
    generate_routes.router,
    estimate_routes.router,
    job_list_routes.router,
    job_routes.router,
    job_routes.extend_router,
    download_routes.router,
    croissant_routes.router,
    manifest_routes.router,
    image_routes.router,
    image_routes.address_router,
    point_routes.router,
    point_routes.preview_router,
    verify_routes.router,
    catalog_routes.router,
    catalog_routes.upload_router,
    health_routes.router,
    page_routes.router,
)


def add_routes(app: FastAPI) -> None:
    """Add all routes to the application."""
    for router in _ROUTERS:
        app.include_router(router)


def first_segments() -> set[str]:
    """Return the first segments of all paths of the service."""
    paths = [route.path for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return {path.split("/")[1] for path in [*paths, "/docs", "/openapi.json"]}
