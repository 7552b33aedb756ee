"""Keeps successful health checks out of the access log. They arrive every few seconds and tell nothing new."""

import logging

_PROBES = ("/healthz", "/readyz", "/metrics")
_FIELDS = 5
"""Number of fields in uvicorn's access log: client, method, path with query, HTTP version and status."""


class QuietHealthChecks(logging.Filter):
    """Drops the records of health checks that succeeded."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written."""
        if not isinstance(record.args, tuple) or len(record.args) != _FIELDS:
            return True
        _, _, path, _, status = record.args
        is_probe = str(path).partition("?")[0].endswith(_PROBES)
        return not (is_probe and isinstance(status, int) and status < 400)
