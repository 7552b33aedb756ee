"""Opens a bucket with obstore's client, configured to give up in time."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obstore.store import from_url

from worker.contracts.store.store_errors import translate_errors

if TYPE_CHECKING:  # obstore defines these names only for type checkers
    from obstore.store import ObjectStore, RetryConfig

_MAX_CONNECT_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=50), timedelta(seconds=1)
_MAX_RETRIES = 1000
"""Practically unlimited: the number of retries is limited by time."""
_TRANSFER_SECONDS = 900
"""Longest time of one transfer. A transfer without progress is given up sooner, by `read_timeout`."""
_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")
_CLIENT_OPTIONS = (
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "read_timeout",
    "root_certificate",
    "timeout",
)
"""Options of the HTTP client. obstore ignores their variables, like AWS_ALLOW_HTTP, if a caller passes any options."""


def open_bucket(url: str, patience_seconds: float) -> ObjectStore:
    """Open a URL like s3://bucket/prefix. Credentials come from variables like AWS_ACCESS_KEY_ID.

    A failed request, or a failed search for credentials, is repeated for `patience_seconds`. A request that hangs is
    given up after the same time. Raises StoreError for a URL that names no bucket.
    """
    own = {
        "connect_timeout": f"{min(patience_seconds, _MAX_CONNECT_SECONDS)}s",
        "read_timeout": f"{patience_seconds}s",
        "timeout": f"{_TRANSFER_SECONDS}s",
    }
    retry: RetryConfig = {
        "max_retries": _MAX_RETRIES,
        "retry_timeout": timedelta(seconds=patience_seconds),
        "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2},
    }
    client: Any = own | _environment_options()
    with translate_errors():
        return from_url(url, client_options=client, retry_config=retry)


def _environment_options() -> dict[str, str]:
    names = {f"{prefix}{option.upper()}": option for prefix in _PREFIXES for option in _CLIENT_OPTIONS}
    return {option: os.environ[name] for name, option in names.items() if name in os.environ}
