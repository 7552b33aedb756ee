"""The command `imagemill api`."""

from typing import Annotated

import typer


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the API alone. Configured by IMAGEMILL_REDIS_URL, IMAGEMILL_STORE and others."""
    from app.cli.serve import serve

    serve(host, port, fd)
