"""The response to a body that is larger than its endpoint accepts."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problem_response import problem_response
from app.errors import ApiError

_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyTooLargeMiddleware:
    """Replaces FastAPI's plain-text response to a body that is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, and replace a response with the status 413."""
        is_replaced = False

        async def send_translated(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == _TOO_LARGE:
                is_replaced = True
                error = ApiError(_TOO_LARGE, "body_too_large", "the body is larger than this endpoint accepts")
                await problem_response(Request(scope), error)(scope, receive, send)
            elif not is_replaced:  # the body of a replaced response is dropped
                await send(message)

        await self._app(scope, receive, send_translated)
