"""Runs the API under uvicorn, for `imagemill api`."""

import logging
import socket

import uvicorn

from app.api.access_log import QuietHealthChecks
from app.api.request_id import RequestIdFilter, RequestIdMiddleware
from app.api.uvicorn_protocol import LimitedHttpProtocol
from app.api.uvicorn_server import STOP_SECONDS, Server, allow_many_files
from app.auth.key_file import check_protected
from app.main import create_app
from app.settings import Settings
from worker.contracts import logs

_KEEP_ALIVE_SECONDS = 75
"""Idle time before a connection is closed. Clients and proxies close theirs earlier, so no request is lost."""


def serve(host: str, port: int, fd: int | None) -> None:
    """Serve the API on an address, or on the listening socket that has the file descriptor `fd`."""
    settings, listening = Settings(), None if fd is None else socket.socket(fileno=fd)
    check_protected(settings, host if listening is None else listening.getsockname()[0])
    logs.configure(settings.log_level, settings.log_format, RequestIdFilter())
    logging.getLogger("uvicorn.access").addFilter(QuietHealthChecks())
    allow_many_files()
    app = create_app(settings)
    config = uvicorn.Config(
        RequestIdMiddleware(app),
        host=host,
        port=port,
        http=LimitedHttpProtocol,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
    )
    Server(config, on_stop=app.state.services.close).run(None if listening is None else [listening])
