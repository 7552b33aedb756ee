"""The parameter `classes`: the classes of a dataset, and how many images of each it has."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

_COUNT = re.compile(r"[0-9]+", re.ASCII)
_MAX_DIGITS = 19
"""Largest number of digits of a count. It is above any limit of n, and keeps the work for hostile numbers small."""
_MAX_QUOTED_CHARACTERS = 100
"""Largest number of characters of a part that an error quotes."""
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
CLASSES_DESCRIPTION = (
    "Classes of the dataset, with the number of images of each (`modern:100,early-20th:50`) or without "
    "(`modern,early-20th`): then images alternate between these classes. In a name, write , : and % as %2C, %3A and "
    "%25. JSON also takes an object of counts or an array of names. Not with `class`."
)
CLASSES_BODY_SCHEMA: dict[str, Any] = {
    "description": CLASSES_DESCRIPTION,
    "anyOf": [
        {"type": "string"},
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}, "minProperties": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "null"},
    ],
}
"""JSON schema of the parameter in a JSON body. A query has strings only."""


class ClassRequest(BaseModel):
    """The classes of a dataset, in the order of the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    counts: tuple[int, ...] | None
    """Number of images of each class; None if all classes have equal shares."""

    @property
    def total(self) -> int | None:
        """Sum of the counts; None without counts."""
        return None if self.counts is None else sum(self.counts)


def parse_classes(value: object) -> ClassRequest:
    """Parse `NAME:COUNT,...`, `NAME,...`, an object of counts or an array of names.

    Raises PydanticCustomError, with a sentence that names the wrong part and says what is right.
    """
    if isinstance(value, str):
        parts = [_parse_part(part) for part in value.split(",")]
    elif isinstance(value, Mapping) and value:
        parts = [(str(name), _count_of_json(name, count)) for name, count in value.items()]
    elif isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        parts = [(name, None) for name in value]
    else:
        raise _fault("must be like modern:100,early-20th:50, in JSON also an object of counts or an array of names")
    names, counts = [name for name, _ in parts], [count for _, count in parts if count is not None]
    if counts and len(counts) < len(parts):
        without = next(name for name, count in parts if count is None)
        raise _fault(f"{_quote(without)} has no count, but other classes have one; give counts to all or to none")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise _fault(f"{_quote(name)} is named {times} times; name each class once")
    return ClassRequest(names=tuple(names), counts=tuple(counts) or None)


def _parse_part(part: str) -> tuple[str, int | None]:
    """Parse NAME or NAME:COUNT."""
    quoted_name, *counts = part.split(":")
    if not quoted_name:
        raise _fault(f"{_quote(part)} names no class; write NAME or NAME:COUNT, separated by single commas")
    if len(counts) > 1:
        raise _fault(f"{_quote(part)} has several colons; write a colon of a name as %3A")
    if _STRAY_PERCENT.search(quoted_name):
        raise _fault(f"{_quote(part)} has a % that begins no escape; write a % of a name as %25")
    try:
        name = unquote(quoted_name, errors="strict")
    except UnicodeDecodeError:
        raise _fault(f"{_quote(part)} has escapes that are not UTF-8; encode the name as UTF-8") from None
    if not counts:
        return name, None
    return name, _count_of_text(name, counts[0])


def _count_of_text(name: str, count: str) -> int:
    if len(count) > _MAX_DIGITS and _COUNT.fullmatch(count):
        raise _large_count(name, count)
    if not _COUNT.fullmatch(count) or int(count) == 0:
        raise _bad_count(name, count)
    return int(count)


def _count_of_json(name: object, count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise _bad_count(name, json.dumps(count))
    if count >= 10**_MAX_DIGITS:
        raise _large_count(name, count)
    return count


def _large_count(name: object, count: object) -> PydanticCustomError:
    return _fault(f"the count of {_quote(name)} is too large, got {_quote(count)}")


def _bad_count(name: object, count: str) -> PydanticCustomError:
    return _fault(f"the count of {_quote(name)} must be a whole number of at least 1, got {_quote(count)}")


def _quote(value: object) -> str:
    return repr(str(value)[:_MAX_QUOTED_CHARACTERS])


def _fault(sentence: str) -> PydanticCustomError:
    # Braces would be placeholders of the template.
    return PydanticCustomError("bad_classes", "{sentence}", {"sentence": sentence})


Classes = Annotated[ClassRequest, BeforeValidator(parse_classes), WithJsonSchema({"type": "string"})]
"""The type of the parameter."""
