"""Resolves links of the API. A server behind a proxy may not know the path prefix under which it is published."""

from urllib.parse import urljoin, urlsplit


def resolved(link: str, request_url: str, server: str) -> str:
    """Return the URL that a link means.

    `request_url` is the URL of the request whose response holds the link. `server` is the address that the client was
    given. A relative link is resolved against the request (RFC 3986). If an absolute path lacks the path of `server`,
    that path is put before it: a proxy has removed the prefix from the request.
    """
    parts, prefix = urlsplit(link), urlsplit(server).path.rstrip("/")
    # The added slashes keep the prefix /mill from matching a path like /millstone.
    is_path = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    lacks_prefix = is_path and not f"{parts.path}/".startswith(f"{prefix}/")
    return urljoin(request_url, prefix + link if lacks_prefix else link)


def is_of(url: str, server: str) -> bool:
    """Return whether a URL has the same scheme, host and port as a server, so that it may get the key."""
    return urlsplit(url)[:2] == urlsplit(server)[:2]
