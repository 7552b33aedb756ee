"""Documentation of the response headers in the OpenAPI document."""

from typing import Any

_DESCRIPTIONS = {
    "ETag": "Strong validator. Send it as If-None-Match, or as If-Range with Range.",
    "Location": "URL of the job or of the style's thumbnail.",
    "Content-Location": "URL of the same archive, which supports range requests once it is finished.",
    "Retry-After": "Seconds to wait before the next request.",
    "Preference-Applied": "The wait that the server granted.",
    "Content-Range": "The range of this response, and the size of the archive.",
    "RateLimit-Policy": "Limits of waiting images and open jobs, if this key has any.",
    "RateLimit": "The remaining part of these limits.",
}


def header_docs(*names: str) -> dict[str, Any]:
    """Return the documentation of some headers of a response."""
    return {name: {"description": _DESCRIPTIONS[name], "schema": {"type": "string"}} for name in names}
