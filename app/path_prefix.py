"""The path below which a proxy publishes the service, and links that begin with it."""

import re
from contextvars import ContextVar

from app.errors import echoed

_PATTERN = r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@%+:=-]+)*/?"
_SAFE = re.compile(_PATTERN, re.ASCII)
_ODD_ESCAPE = re.compile(r"%(?:[01]|2[EeFf]|7[Ff]|$|.$|[^0-9A-Fa-f]|.[^0-9A-Fa-f])")
"""The escape of a control character, a dot or a slash; or a % that begins no escape."""
_MOST_CHARACTERS = 255
_root: ContextVar[str] = ContextVar("root", default="")


def rooted(path: str) -> str:
    """Return the address of a path of this service, as the client of the current request reaches it."""
    return _root.get() + path


def use(prefix: str) -> None:
    """Set the prefix of the links that the current request makes."""
    _root.set(prefix)


def checked(prefix: str) -> str:
    """Return a prefix without its last slash. Raises ValueError if it is not a plain path."""
    if len(prefix) > _MOST_CHARACTERS or not _SAFE.fullmatch(prefix) or _ODD_ESCAPE.search(prefix):
        raise ValueError(f"must be a path like /imagemill, got {echoed(prefix)}")
    return prefix.rstrip("/")
