"""The path prefix under which a proxy publishes the service, and links that begin with it."""

import re
from contextvars import ContextVar

from app.errors import quote_value

_PATTERN = r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@%+:=-]+)*/?"
_VALID = re.compile(_PATTERN, re.ASCII)
_FORBIDDEN_ESCAPE = re.compile(r"%(?:[01]|2[EeFf]|7[Ff]|$|.$|[^0-9A-Fa-f]|.[^0-9A-Fa-f])")
"""Matches the escape of a control character, a dot or a slash, and a % that begins no escape."""
_MAX_CHARACTERS = 255
_current_prefix: ContextVar[str] = ContextVar("root", default="")


def add_prefix(path: str) -> str:
    """Return a path of this service with the prefix of the current request, as its client must send it."""
    return _current_prefix.get() + path


def set_prefix(prefix: str) -> None:
    """Set the prefix of all links in the response to the current request."""
    _current_prefix.set(prefix)


def validate_prefix(prefix: str) -> str:
    """Return a prefix without its trailing slash. Raises ValueError if it is not a plain path."""
    if len(prefix) > _MAX_CHARACTERS or not _VALID.fullmatch(prefix) or _FORBIDDEN_ESCAPE.search(prefix):
        raise ValueError(f"must be a path like /imagemill, got {quote_value(prefix)}")
    return prefix.rstrip("/")
