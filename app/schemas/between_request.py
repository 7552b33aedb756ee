"""The parameter `between`: the points of a walk, whose frames are the images of a dataset."""

from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from app.schemas.around_request import point_fault
from worker.contracts.points import Point, PointError, parse_atoms, parse_point
from worker.contracts.walk import MAX_LENGTH, MAX_POINTS, length_of

BETWEEN_DESCRIPTION = (
    'A walk whose frames are the images, in JSON like {"points": [{"at": [[1, 0]]}, {"at": [[777, 0]]}], "loop": '
    "true}, as a text like `1:0,777:0` or `at=1:0;at=777:0&classes=modern:1;loop`. Only with n, model, format, layout, "
    "style, name and ttl_hours."
)
BETWEEN_BODY_SCHEMA: dict[str, Any] = {
    "description": BETWEEN_DESCRIPTION,
    "anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}],
}
"""JSON schema of the parameter in a JSON body. A query has strings only."""
_EXAMPLE = "1:0,777:0 or at=1:0&shift=brightness:1.2;at=777:0;loop"
_LOOP = "loop"


class BetweenRequest(BaseModel):
    """The points of a walk, in its order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: tuple[Point, ...] = Field(min_length=2, max_length=MAX_POINTS)
    loop: bool = False
    """Whether the walk goes back to the first point."""

    @field_validator("points")
    @classmethod
    def _check_lengths(cls, points: tuple[Point, ...]) -> tuple[Point, ...]:
        longest = max(map(length_of, points))
        if longest > MAX_LENGTH:
            raise ValueError(f"the square root of the sum of squared weights must be at most 100, got {longest:g}")
        return points


def _parse_text(value: object) -> object:
    """Parse the text of a walk. Other values are returned as they are."""
    if not isinstance(value, str):
        return value
    try:
        if "=" not in value:
            return {"points": [{"at": [atom]} for atom in parse_atoms(value)]}
        parts = value.split(";")
        has_loop = parts[-1] == _LOOP
        return {"points": [_parse_point(part) for part in parts[: len(parts) - has_loop]], "loop": has_loop}
    except PointError as error:
        raise point_fault(str(error)) from error


def _parse_point(text: str) -> Point:
    """Parse the query of a point. Raises PydanticCustomError and PointError."""
    parts = parse_qsl(text, keep_blank_values=True)
    parameters = dict(parts)
    if not {*parameters} <= {*Point.model_fields} or len(parameters) < len(parts) or "at" not in parameters:
        raise point_fault(f"must be like {_EXAMPLE}, got {text[:100]!r}")
    return parse_point(**parameters)


BetweenParameter = Annotated[BetweenRequest, BeforeValidator(_parse_text), WithJsonSchema({"type": "string"})]
"""The type of the parameter."""
