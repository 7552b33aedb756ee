"""The URL of the queue server: writes one for a socket, validates one, and hides its password."""

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

_SCHEMES = ("redis", "rediss", "unix")
_NEEDLESS_ESCAPE = re.compile(
    r"%(?![0-9A-Fa-f]{2})|%(?:2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])"
)
"""A % that begins no escape, or a needless escape: of a letter, digit, '-', '.', '_' or '~'."""
_PASSWORD = re.compile(r"(password=)[^&#]*", re.IGNORECASE)
_ADVICE = (
    "it must be redis://HOST:PORT/DATABASE, rediss://HOST:PORT/DATABASE or unix:///PATH, with :PASSWORD@ before HOST "
    "or /PATH; there, write % as %25, / as %2F, ? as %3F, # as %23 and [ as %5B, or leave the password out and let "
    "IMAGEMILL_REDIS_PASSWORD_FILE name a file with it"
)


def of_socket(path: Path, password: str = "") -> str:
    """Return the URL of a server that listens on a Unix socket."""
    credentials = f":{quote(password, safe='')}@" if password else ""
    return f"unix://{credentials}{quote(os.fsencode(path))}"


def check(url: str) -> None:
    """Raise ValueError for a URL that Redis' client cannot use, or that it would read as a different address."""
    try:
        parts = urlsplit(url)
        fault = _find_fault(url, parts)
        if fault is None and parts.query:
            _check_options(url)
    except (TypeError, ValueError):
        fault = "it is not the URL of a queue server"
    if fault is not None:
        raise ValueError(f"{fault}; {_ADVICE}")


def _check_options(url: str) -> None:
    """Let Redis' client parse the options of a URL, without a connection. Raises TypeError, ValueError."""
    from redis import Redis  # imported late, because a health check does not need it

    Redis.from_url(url).connection_pool.make_connection()


def has_password(url: str) -> bool:
    """Return whether a URL holds a password."""
    return bool(urlsplit(url).password)


def mask_password(url: str) -> str:
    """Replace the password of a URL by asterisks. The URL need not be valid."""
    scheme, separator, rest = url.partition("://")
    # At the last @, since an invalid URL may have one in its password.
    _, at, place = rest.rpartition("@")
    shown = f"{scheme}{separator}***@{place}" if at else url
    return _PASSWORD.sub(r"\1***", shown)


def _find_fault(url: str, parts: SplitResult) -> str | None:
    needless = _NEEDLESS_ESCAPE.search(url)
    if parts.scheme not in _SCHEMES:
        return "it is not the URL of a queue server"
    if not url.isprintable() or " " in url:
        return "it holds a blank or a control character, of which a blank is written as %20"
    if needless:
        return (
            f"it holds {needless[0]}, which a URL reads as {unquote(needless[0])}"
            if needless[0] != "%"
            else "it holds a lone %"
        )
    if parts.fragment or url.endswith("#"):
        return "it holds #, which ends a URL"
    options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    if "password" in options:
        return "it holds a password as an option, where it would be shown"
    if parts.scheme == "unix":
        is_complete = parts.path.startswith("/") and not parts.hostname
    else:
        is_complete = bool(parts.hostname) and parts.port != 0 and re.fullmatch(r"(/\d*)?", parts.path) is not None
    return None if is_complete else "its host or path is missing or misplaced"
