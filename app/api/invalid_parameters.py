"""Describes invalid parameters of a request in sentences."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import MAX_QUOTED_CHARACTERS, quote_value
from app.schemas.job_list_query import MAX_LISTED_JOBS
from app.schemas.parameter_types import MAX_SEED, MAX_START
from app.schemas.requests import KEEP_STEP, MIN_KEEP
from worker.contracts.selection import MAX_DISTINCT_BITS

_MAX_FAULTS = 10


class InvalidParameters:
    """Describes the errors that pydantic finds, with the limits of this server."""

    def __init__(self, max_images: int) -> None:
        self._limits = {"n": (1, max_images), "seed": (0, MAX_SEED), "index": (0, MAX_SEED), "start": (0, MAX_START)}
        self._limits |= {"distinct": (0, MAX_DISTINCT_BITS), "limit": (1, MAX_LISTED_JOBS)}

    def describe(self, faults: Sequence[Mapping[str, Any]]) -> str:
        """Return one sentence for each of the first faults, and the number of the others."""
        sentences = [self._describe(fault) for fault in faults[:_MAX_FAULTS]]
        sentences += [f"and {len(faults) - _MAX_FAULTS} more"] if len(faults) > _MAX_FAULTS else []
        return "; ".join(sentences)

    def _describe(self, fault: Mapping[str, Any]) -> str:
        location: Sequence[str | int] = fault["loc"]
        name = str(location[-1])[:MAX_QUOTED_CHARACTERS]
        if fault["type"] == "missing":
            return f"{name}: required, but missing"
        if fault["type"] == "extra_forbidden":
            return f"{name}: no such parameter"
        if fault["type"] in ("conflict", "bad_classes"):  # the sentence says which part is wrong
            sentence: str = fault["msg"]
            return sentence if fault["type"] == "conflict" else f"{name}: {sentence}"
        received = quote_value(fault["input"] if isinstance(fault["input"], str) else _as_json(fault["input"]))
        # A value of the wrong type or out of range has one sentence with both limits.
        if name in self._limits and fault["type"] != "not_a_number":
            low, high = self._limits[name]
            return f"{name}: must be a whole number between {low} and {high}, got {received}"
        if name == "keep" and fault["type"] != "not_a_number":
            return f"keep: must be a number from {MIN_KEEP} to 1 in steps of {KEEP_STEP}, got {received}"
        return f"{name}: {fault['msg'][:1].lower()}{fault['msg'][1:]}, got {received}"


def _as_json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
