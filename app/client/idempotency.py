"""The header that protects a request from being carried out twice."""

import re
import secrets

from app.client.errors import ClientError

_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?", re.ASCII)


def idempotency_headers(key: str | None) -> dict[str, str]:
    """Return the header of an idempotency key; None chooses a random key. Raises ClientError for an unusable key."""
    key = secrets.token_urlsafe() if key is None else key
    if not _KEY.fullmatch(key):  # no header can carry it, which would look like a lost connection
        raise ClientError(
            f"idempotency_key: must be 1 to 255 ASCII characters, with no space at either end, got {key[:100]!r}"
        )
    return {"Idempotency-Key": key}
