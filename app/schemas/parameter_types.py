"""The types of numbers in requests, and the error of parameters that exclude each other."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

MAX_SEED = 2**53 - 1
"""The largest integer that JSON parsers of all languages read exactly. models/latents.py has the same limit."""

MAX_START = MAX_SEED - 10**9
"""Largest index of a job's first image, so that the index of its last image is at most MAX_SEED too."""


def _reject_quoted_number(value: object, info: ValidationInfo) -> object:
    """Reject booleans in place of numbers, and strings in JSON. A query has only strings, so they pass there."""
    if isinstance(value, bool) or (isinstance(value, str) and info.field_name in (info.context or {}).get("json", ())):
        raise PydanticCustomError("not_a_number", "must be a number, in JSON without quotes")
    return value


def _reject_odd_spelling(value: object, info: ValidationInfo) -> object:
    """Reject "1_0", "5.0" and " 5", which pydantic would read as whole numbers."""
    # 19 digits are more than MAX_SEED has, and keep the work for hostile numbers small.
    if value is not None and not re.fullmatch(r"-?[0-9]{1,19}", str(_reject_quoted_number(value, info))):
        raise ValueError("not a whole number")
    return value


def conflict(sentence: str) -> PydanticCustomError:
    """Return the error of parameters that exclude each other. Its sentence is complete."""
    return PydanticCustomError("conflict", "{sentence}", {"sentence": sentence})


REJECT_QUOTED = BeforeValidator(_reject_quoted_number)
REJECT_ODD_SPELLING = BeforeValidator(_reject_odd_spelling)
"""It comes after the limits of a number. Before them, pydantic would leave the limits out of the JSON schema."""
WholeNumber = Annotated[int, REJECT_ODD_SPELLING]
SeedOrIndex = Annotated[int, Field(ge=0, le=MAX_SEED), REJECT_ODD_SPELLING]
"""A seed or an index."""
