"""The id of a request: in its answer, and in every line that is logged on its behalf."""

import logging
import re
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADER = "X-Request-Id"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIdMiddleware:
    """Gives every request an id: the one it came with, or a new one. Around all else, as errors have one too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get(_HEADER, "")
        request_id = sent if _SANE.fullmatch(sent) else uuid4().hex
        _current.set(request_id)  # for as long as the server's task for this request lives

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_HEADER] = request_id
            await send(message)

        await self._app(scope, receive, marked)


class RequestIdFilter(logging.Filter):
    """Tells the log on behalf of which request it is written."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark a record, and keep it."""
        record.request_id = _current.get()
        return True
