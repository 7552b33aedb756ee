"""Links of the API, as a client has to read them: a server may stand behind a proxy's prefix that it does not know."""

from urllib.parse import urljoin, urlsplit


def resolved(reference: str, asked: str, server: str) -> str:
    """Find the URL that a link means.

    `asked` is the URL of the request whose answer holds the link, `server` the address that the client was given. A
    relative reference is resolved against the request (RFC 3986). An absolute path without the path of `server` in
    front gets it: a proxy has removed that prefix from the request.
    """
    parts, prefix = urlsplit(reference), urlsplit(server).path.rstrip("/")
    is_path = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    lacks_prefix = is_path and not f"{parts.path}/".startswith(f"{prefix}/")
    return urljoin(asked, prefix + reference if lacks_prefix else reference)


def is_of(url: str, server: str) -> bool:
    """Tell whether a URL is of the same scheme, host and port as a server, so that it may be sent the key."""
    return urlsplit(url)[:2] == urlsplit(server)[:2]
