"""The address of an image of a point as a URI, which the mark of the image contains."""

import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.contracts.around import Around
from worker.contracts.catalog import Sha256
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_address import SCHEME, style_of_parameters, style_parameters
from worker.contracts.points import (
    Atom,
    Point,
    PointError,
    Shift,
    Truncation,
    Weight,
    format_atoms,
    format_named,
    format_number,
    parse_atoms,
    parse_named,
    parse_number,
)
from worker.contracts.styles import StyleSpec
from worker.contracts.walk import Walk

MAX_URI_BYTES = 4096
"""Longest URI that is read."""
URI_CHARACTERS = "A-Za-z0-9/;=.+:,*%_~-"
_URI = re.compile(
    rf"{SCHEME}:(?P<model>[0-9a-f]{{64}})/at/(?P<at>[0-9:*.,-]{{1,1024}})"
    r"(?P<parameters>(?:;[a-z]{1,16}=[A-Za-z0-9.+:,%_~-]{1,2048}){0,12})",
    re.ASCII,
)
_ClassNumber = Annotated[str, Field(pattern=r"^[0-9]{1,5}$")]


class PointAddress(BaseModel):
    """Everything that fixes the pixels of an image of a point."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Sha256
    at: Annotated[tuple[Atom, ...], Field(min_length=1)]
    classes: dict[_ClassNumber, Weight] = {}
    """Weights by the numbers of classes; empty if the model is unconditional."""
    shift: Shift = {}
    truncation: Truncation = 1.0
    sliders: Sha256 | None = None
    numerics: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    style: StyleSpec | None = None

    @property
    def uri(self) -> str:
        """The address as a URI."""
        classes = f";classes={format_named(self.classes)}" if self.classes else ""
        around = Around(shift=self.shift, truncation=self.truncation, sliders=self.sliders)
        return f"{_head(self.model)}{format_atoms(self.at)}{classes}{_tail(around, self.numerics, self.style)}"

    def has_classes_of(self, classes: Sequence[str]) -> bool:
        """Return whether a model with these classes has those of the address. One without classes must have none."""
        return bool(self.classes) == bool(classes) and all(int(number) < len(classes) for number in self.classes)

    def point(self, classes: Sequence[str]) -> Point:
        """Return the point, with the names of a model's classes. The model must have them."""
        return Point(
            at=self.at,
            shift=self.shift,
            classes={classes[int(number)]: weight for number, weight in self.classes.items()},
            truncation=self.truncation,
            sliders=self.sliders or "",
        )


def point_uri_ends(spec: JobSpec, around: Around) -> tuple[str, str]:
    """Return what stands before and after the `point_position` of an image in the URIs of a job around a point."""
    return _head(spec.model.sha256), _tail(around, spec.model.numerics.name, spec.style)


def point_position(spec: JobSpec, around: Around, index: int, class_number: int | None) -> str:
    """Return the part of a URI that differs between the images of a job around a point."""
    classes = _classes(spec, around, class_number)
    text = f";classes={format_named(classes)}" if classes else ""
    return f"{format_atoms(around.atoms(spec.seed, index))}{text}"


def parse_point_uri(uri: str) -> PointAddress | None:
    """Return the address that a URI names; None if it is not a valid address of a point."""
    match = _URI.fullmatch(uri) if len(uri) <= MAX_URI_BYTES else None
    if match is None:
        return None
    values = dict(part.split("=", 1) for part in match["parameters"].split(";")[1:])
    try:
        parts: dict[str, object] = {"model": match["model"], "at": parse_atoms(match["at"])}
        style = style_of_parameters(values)
        parts |= {name: parse_named(name, unquote(values.pop(name))) for name in ("classes", "shift") if name in values}
        if "truncation" in values:
            parts["truncation"] = parse_number("truncation", values.pop("truncation"))
        found = PointAddress.model_validate({**parts, **values, "style": style})
    except (PointError, ValidationError):
        return None
    # A repeated parameter or another spelling gives another URI than the one that was read.
    return found if found.uri == uri else None


def address_at(spec: JobSpec, placement: Around | Walk, index: int, class_number: int | None) -> PointAddress:
    """Return the address of an image of a job around a point, or on a walk."""
    names = spec.model.classes
    point = placement.point(spec.seed, index, None if class_number is None else names[class_number])
    return PointAddress(
        model=spec.model.sha256,
        at=point.at,
        classes={str(names.index(name)): weight for name, weight in point.classes.items()},
        shift=point.shift,
        truncation=point.truncation,
        sliders=placement.sliders if point.shift else None,
        numerics=spec.model.numerics.name,
        style=spec.style,
    )


def _classes(spec: JobSpec, around: Around, class_number: int | None) -> dict[str, float]:
    names = spec.model.classes
    if around.classes:
        return {str(names.index(name)): weight for name, weight in around.classes.items()}
    return {} if class_number is None else {str(class_number): 1.0}


def _head(model: str) -> str:
    return f"{SCHEME}:{model}/at/"


def _tail(around: Around, numerics: str, style: StyleSpec | None) -> str:
    parameters = {
        "shift": quote(format_named(around.shift), safe=":,"),
        "truncation": "" if around.truncation == 1 else format_number(around.truncation),
        "sliders": around.sliders or "",
        "numerics": numerics,
        **(style_parameters(style) if style else {}),
    }
    return "".join(f";{name}={value}" for name, value in parameters.items() if value)
