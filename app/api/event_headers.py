"""Events pass proxies one by one: headers that keep a proxy from compressing or collecting them."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVENTS = "text/event-stream"
_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    # Caddy up to 2.10 and some others compress events whatever Cache-Control says, but nothing that has an encoding.
    "Content-Encoding": "identity",
}


class EventHeadersMiddleware:
    """Marks streams of events."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, events with more headers."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("Content-Type", "").startswith(_EVENTS):
                    headers.update(_HEADERS)
            await send(message)

        await self._app(scope, receive, marked)
