"""The path prefix under which a proxy publishes the service, and links that begin with it."""

import re
from contextvars import ContextVar

from app.errors import echoed

_PATTERN = r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@%+:=-]+)*/?"
_SAFE = re.compile(_PATTERN, re.ASCII)
_ODD_ESCAPE = re.compile(r"%(?:[01]|2[EeFf]|7[Ff]|$|.$|[^0-9A-Fa-f]|.[^0-9A-Fa-f])")
"""Matches the escape of a control character, a dot or a slash, and a % that begins no escape."""
_MOST_CHARACTERS = 255
_root: ContextVar[str] = ContextVar("root", default="")


def rooted(path: str) -> str:
    """Return a path of this service with the prefix of the current request, as its client must send it."""
    return _root.get() + path


def use(prefix: str) -> None:
    """Set the prefix of all links in the response to the current request."""
    _root.set(prefix)


def checked(prefix: str) -> str:
    """Return a prefix without its trailing slash. Raises ValueError if it is not a plain path."""
    if len(prefix) > _MOST_CHARACTERS or not _SAFE.fullmatch(prefix) or _ODD_ESCAPE.search(prefix):
        raise ValueError(f"must be a path like /imagemill, got {echoed(prefix)}")
    return prefix.rstrip("/")
