"""The parameter `around`: the point around which the images of a dataset lie."""

from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from worker.contracts.points import Point, PointError, parse_number, parse_point, round_number

DEFAULT_SPREAD = 0.35
AROUND_DESCRIPTION = (
    'A point around which the images lie, in JSON like {"at": [[1, 0]], "spread": 0.35}, as a text like '
    "`at=1:0&shift=brightness:1.2&spread=0.35`. The spread, from 0 to 1, is the weight of each image's own latent. Not "
    "with keep, copies or distinct."
)
AROUND_BODY_SCHEMA: dict[str, Any] = {
    "description": AROUND_DESCRIPTION,
    "anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}],
}
"""JSON schema of the parameter in a JSON body. A query has strings only."""


class AroundRequest(Point):
    """A point, and how far the images lie from it."""

    spread: Annotated[float, Field(gt=0, le=1), AfterValidator(round_number)] = DEFAULT_SPREAD


def _parse_text(value: object) -> object:
    """Parse the text of a point with a spread. Other values are returned as they are."""
    if not isinstance(value, str):
        return value
    parts = parse_qsl(value, keep_blank_values=True)
    parameters = dict(parts)
    unknown = next((name for name in parameters if name not in {*Point.model_fields, "spread"}), None)
    if unknown is not None or len(parameters) < len(parts) or "at" not in parameters:
        raise point_fault(f"must be like at=1:0&shift=brightness:1.2&spread=0.35, got {value[:100]!r}")
    try:
        spread = parse_number("spread", parameters.pop("spread", str(DEFAULT_SPREAD)))
        return {**parse_point(**parameters).model_dump(), "spread": spread}
    except PointError as error:
        raise point_fault(str(error)) from error


def point_fault(sentence: str) -> PydanticCustomError:
    """Return the error of a point that a request gives."""
    # Braces would be placeholders of the template.
    return PydanticCustomError("bad_point", "{sentence}", {"sentence": sentence})


AroundParameter = Annotated[AroundRequest, BeforeValidator(_parse_text), WithJsonSchema({"type": "string"})]
"""The type of the parameter."""
