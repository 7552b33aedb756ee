"""The command `imagemill worker`. Its import is cheap, because torch is only loaded when a worker starts."""

import logging
import os
import socket
import sys
from typing import Annotated, NoReturn

import typer

from worker.queue.alive_file import is_fresh
from worker.settings import WorkerSettings

_TIMEOUT_SECONDS = 5


def worker(
    check: Annotated[
        bool, typer.Option("--check", help="Only exit: with status 0 if a worker on this host is alive, else with 1.")
    ] = False,
) -> None:
    """Render jobs until stopped. Configured by IMAGEMILL_REDIS_URL, IMAGEMILL_STORE, IMAGEMILL_MODELS and others."""
    settings = WorkerSettings()
    if check:
        raise typer.Exit(0 if _is_alive(settings) else 1)

    from worker.main import run  # imported late, because it loads torch, which takes seconds

    run(settings)
    _exit_immediately()


def _exit_immediately() -> NoReturn:
    """End the process without Python's own clean-up. That takes seconds after an import of torch.

    All threads that write to the store or to the queue have ended before.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _is_alive(settings: WorkerSettings) -> bool:
    if settings.heartbeat_file is not None:
        return is_fresh(settings.heartbeat_file)
    from redis.exceptions import RedisError

    from worker.contracts.queue.connection import connect
    from worker.contracts.queue.redis_keys import paused_key, worker_key

    redis = connect(settings.redis_url, _TIMEOUT_SECONDS, password=settings.redis_password)
    try:
        # A worker's name begins with the name of its host. A paused worker is alive, too.
        names = (key(f"{socket.gethostname()}-*") for key in (worker_key, paused_key))
        return any(next(redis.scan_iter(name, count=1000), None) for name in names)
    except RedisError:
        return False
