"""The access log, without the successful requests of probes: they come every few seconds and say nothing."""

import logging

_PROBES = ("/healthz", "/readyz", "/metrics")
_FIELDS = 5
"""Of a record of uvicorn's access log: client, method, path with query, HTTP version and status."""


class QuietHealthChecks(logging.Filter):
    """Drops the lines of probes that succeeded."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written."""
        if not isinstance(record.args, tuple) or len(record.args) != _FIELDS:
            return True
        _, _, path, _, status = record.args
        is_probe = str(path).partition("?")[0].endswith(_PROBES)
        return not (is_probe and isinstance(status, int) and status < 400)
