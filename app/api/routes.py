"""All routes of the API."""

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import (
    croissant_routes,
    download_routes,
    estimate_routes,
    event_routes,
    gallery_routes,
    generate_routes,
    health_routes,
    image_routes,
    job_list_routes,
    job_routes,
    manifest_routes,
    model_routes,
    page_routes,
    point_routes,
    run_routes,
    session_routes,
    style_routes,
    verify_routes,
)

# The document lists the endpoints in this order.
_ROUTERS = (
    generate_routes.router,
    estimate_routes.router,
    job_list_routes.router,
    job_routes.router,
    job_routes.extend_router,
    gallery_routes.body_router,
    gallery_routes.picks_router,
    gallery_routes.router,
    event_routes.router,
    download_routes.router,
    croissant_routes.router,
    manifest_routes.router,
    image_routes.router,
    image_routes.address_router,
    point_routes.router,
    point_routes.preview_router,
    verify_routes.router,
    style_routes.router,
    style_routes.upload_router,
    model_routes.router,
    run_routes.router,
    run_routes.log_router,
    session_routes.router,
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
    return {path.split("/")[1] for path in [*paths, "/openapi.json"]}
