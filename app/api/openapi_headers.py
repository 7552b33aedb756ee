"""Documentation of the response headers in the OpenAPI document."""

from typing import Any

_DESCRIPTIONS = {
    "ETag": "Strong; send it as If-None-Match, or as If-Range with Range.",
    "Location": "Where it is.",
    "Content-Location": "Where the archive can be had again, once it is finished from any byte on.",
    "Retry-After": "Seconds after which it is worth asking again.",
    "Preference-Applied": "The wait that was granted.",
    "Content-Range": "Which bytes of how many.",
    "RateLimit-Policy": "How many images may wait and jobs be open with this key, if it has limits.",
    "RateLimit": "What is left of that.",
}


def header_docs(*names: str) -> dict[str, Any]:
    """Return the documentation of some headers of a response."""
    return {name: {"description": _DESCRIPTIONS[name], "schema": {"type": "string"}} for name in names}
