"""A streaming response that ends the connection if its body fails."""

import logging

from anyio import sleep
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.uvicorn_protocol import BREAK_OFF, BreakOff
from worker.contracts.logs import fields
from worker.contracts.store.store_errors import DamagedError, StoreError

_DISCONNECT_TIMEOUT_SECONDS = 10
"""Longest time to wait until a connection that the server ends is closed."""
log = logging.getLogger(__name__)


class BrokenOffError(Exception):
    """A job failed or was cancelled while its archive was being sent."""


class AbortableResponse(StreamingResponse):
    """Ends the connection if the body fails."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response. If its body fails, end the connection, so that the client notices the missing part."""
        self._break_off: BreakOff | None = scope.get("extensions", {}).get(BREAK_OFF)
        await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the body until it is complete or the client has disconnected."""
        try:
            await super().stream_response(send)
        except (BrokenOffError, DamagedError, StoreError) as error:
            log.warning("download was broken off", extra=fields(reason=error))
            if self._break_off is not None:
                self._break_off()
                await sleep(_DISCONNECT_TIMEOUT_SECONDS)  # the end of the connection cancels this
