"""Log formats of all processes: text or JSON, one line for each message."""

import json
import logging
import math
import re
from datetime import UTC, datetime
from typing import Any, Literal

LogFormat = Literal["text", "json"]

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_PLACE = re.compile(r"(?:(\w+)=)?%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]")
"""A placeholder in a message, and the name before it, as in `job accepted job_id=%s`."""


def configure(level: str, kind: LogFormat, *filters: logging.Filter) -> None:
    """Write log records to stderr. A filter may set `record.request_id`, which is added to the line."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if kind == "json" else _TextLines(_TEXT))
    for each in filters:
        handler.addFilter(each)
    logging.basicConfig(level=level.upper(), handlers=[handler])


class _TextLines(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        request_id = getattr(record, "request_id", None)
        return super().formatMessage(record) + (f" request_id={request_id}" if request_id else "")


class _JsonLines(logging.Formatter):
    """Formats a record as a JSON object on one line, with the named arguments of its message as fields."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if request_id := getattr(record, "request_id", None):
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | _fields(record) | line)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    names = _PLACE.findall(str(record.msg).replace("%%", ""))
    if not isinstance(record.args, tuple) or len(names) != len(record.args):
        return {}
    return {name: _plain(value) for name, value in zip(names, record.args, strict=True) if name}


def _plain(value: object) -> object:
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_number or value is None else str(value)
