"""Tolerates outages of Redis: the worker goes on without reports and leases, because the store has all results."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from redis.exceptions import RedisError

from worker.contracts.logs import fields

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")

log = logging.getLogger(__name__)


def tolerating_outage(default: D) -> Callable[[Callable[P, T]], Callable[P, T | D]]:
    """Return a decorator: if a function raises an error of Redis, log it and return `default`."""

    def decorate(function: Callable[P, T]) -> Callable[P, T | D]:
        @wraps(function)
        def tolerant(*args: P.args, **kwargs: P.kwargs) -> T | D:
            try:
                return function(*args, **kwargs)
            except RedisError as error:
                log.warning("redis was not reached", extra=fields(reason=error))
                return default

        return tolerant

    return decorate
