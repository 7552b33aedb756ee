"""Log formats of all processes: text or JSON, one line for each message.

A message is a sentence in the past tense. Its values are fields: `log.info("job expired", extra=fields(job_id=id))`.
"""

import json
import logging
import math
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["text", "json"]

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Return the argument `extra` of a log call that adds fields to its message."""
    return {"fields": values}


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return the fields that a log call has added to its message."""
    found: dict[str, object] = vars(record).get("fields", {})
    return found


def sentence(record: logging.LogRecord) -> str:
    """Return the message of a record, followed by its fields as text."""
    return record.getMessage() + "".join(f" {name}={value}" for name, value in fields_of(record).items())


def configure(level: str, kind: LogFormat, *filters: logging.Filter) -> None:
    """Write log records to stderr. A filter may set `record.request_id`, which is added to the line."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonFormatter() if kind == "json" else _TextFormatter(_TEXT))
    for each in filters:
        handler.addFilter(each)
    logging.basicConfig(level=level.upper(), handlers=[handler])


class _TextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = sentence(record)
        request_id = getattr(record, "request_id", None)
        return super().formatMessage(record) + (f" request_id={request_id}" if request_id else "")


class _JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object on one line. The names that every line has cannot be replaced by fields."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname, "logger": record.name, "message": sentence(record)}
        if request_id := getattr(record, "request_id", None):
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        added = {name: _plain(value) for name, value in fields_of(record).items()}
        return json.dumps(line | added | line)


def _plain(value: object) -> object:
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_number or value is None else str(value)
