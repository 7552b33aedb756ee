"""Keeps successful health checks out of the access log. They arrive every few seconds and tell nothing new."""

import logging

_HEALTH_PATHS = ("/healthz", "/readyz", "/metrics")
_FIELD_COUNT = 5
"""Number of fields in uvicorn's access log: client, method, path with query, HTTP version and status."""


class QuietHealthChecks(logging.Filter):
    """Drops the records of health checks that succeeded."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written."""
        if not isinstance(record.args, tuple) or len(record.args) != _FIELD_COUNT:
            return True
        _, _, path, _, status = record.args
        is_health_check = str(path).partition("?")[0].endswith(_HEALTH_PATHS)
        return not (is_health_check and isinstance(status, int) and status < 400)
