"""A router that supports HEAD wherever it supports GET (RFC 9110, section 9.3.2)."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse


class Router(APIRouter):
    """Adds a HEAD route to each GET route. The server omits the bodies of its responses.

    Event streams have no HEAD route, because the response would not end before the job.
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401
        """Add a route, and its HEAD route if it is a GET route. The decorators call this method."""
        super().add_api_route(path, endpoint, **options)
        is_event_stream = options.get("response_class") is EventSourceResponse
        if options.get("methods") == ["GET"] and not is_event_stream:
            super().add_api_route(path, endpoint, **{**options, "methods": ["HEAD"], "include_in_schema": False})
