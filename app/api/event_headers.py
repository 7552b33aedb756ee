"""Response headers that keep proxies from buffering or compressing server-sent events."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVENT_STREAM = "text/event-stream"
_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    # Caddy up to 2.10 and some other proxies compress events despite Cache-Control. A named encoding prevents it.
    "Content-Encoding": "identity",
}


class EventHeadersMiddleware:
    """Adds these headers to event streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, and add the headers if the response is an event stream."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("Content-Type", "").startswith(_EVENT_STREAM):
                    headers.update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)
