"""A point between the latents of a model: weighted latents, shifts by sliders, a truncation and classes.

docs/points.md defines the latent of a point, and its text form in URLs.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, Self
from urllib.parse import quote, unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

MAX_NUMBER = 2**53 - 1
"""Largest seed and largest index."""
MAX_ATOMS = 16
MAX_NAMES = 64
"""Largest number of shifts, and of classes, of one point."""
MAX_WEIGHT = 100
MAX_TRUNCATION = 2
_DIGITS = 6
"""Digits of a number after the point. All numbers of a point are rounded to them."""
_ATOM = re.compile(r"([0-9]{1,16}):([0-9]{1,16})(?:\*(.{1,32}))?", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_MAX_QUOTED_CHARACTERS = 100


def round_number(value: float) -> float:
    """Round a number of a point. Minus zero becomes zero."""
    return round(value, _DIGITS) + 0.0


Weight = Annotated[FiniteFloat, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT), AfterValidator(round_number)]
Truncation = Annotated[FiniteFloat, Field(ge=0, le=MAX_TRUNCATION), AfterValidator(round_number)]
_Number = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
Shift = Annotated[dict[_Name, Weight], Field(max_length=MAX_NAMES)]
"""Standard deviations by the names of sliders, in the order of the sum."""
ClassMix = Annotated[
    dict[_Name, Annotated[FiniteFloat, Field(ge=0, le=MAX_WEIGHT), AfterValidator(round_number)]],
    Field(max_length=MAX_NAMES),
]
"""Weights by the names of classes."""


class PointError(ValueError):
    """The text of a point is malformed. The message names the parameter, the value and a valid form."""


class Atom(NamedTuple):
    """One latent of a point, by its seed and index, with its weight."""

    seed: _Number
    image_index: _Number
    weight: Weight = 1.0


class Point(BaseModel):
    """A point. Parts without effect are left out, so that equal points have one text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: tuple[Atom, ...] = Field(min_length=1, max_length=MAX_ATOMS)
    """Latents in the order of the sum, each as [seed, index, weight]. The weight is 1 if it is left out."""
    shift: Shift = {}
    classes: ClassMix = {}
    """Weights of the classes. If empty, the index of the first latent selects the class, as in an address."""
    truncation: Truncation = 1.0
    sliders: Annotated[str, Field(pattern=r"^([0-9a-f]{8,64})?$")] = ""
    """Beginning of the SHA-256 of the file of sliders that `shift` names."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_parts_without_effect(cls, parts: object) -> object:
        if not isinstance(parts, dict):
            return parts
        shift, classes = parts.get("shift"), parts.get("classes")
        found = {"shift": _without_zeros(shift)} if isinstance(shift, dict) else {}
        if isinstance(classes, dict):
            found["classes"] = _without_zeros(classes) or classes
        return {**parts, **found}

    @model_validator(mode="after")
    def _check_classes(self) -> Self:
        if self.classes and not sum(self.classes.values()):
            raise ValueError("classes: the weights are all 0; give one class a weight above 0")
        return self

    @property
    def is_address(self) -> bool:
        """Whether the point is the latent of one index, with one class at most: its image has a plain address."""
        return (
            len(self.at) == 1
            and self.at[0].weight == 1
            and not self.shift
            and self.truncation == 1
            and (len(self.classes) <= 1)
        )

    @property
    def parameters(self) -> dict[str, str]:
        """The texts of the parameters of the point in a URL."""
        found = {
            "at": format_atoms(self.at),
            "shift": format_named(self.shift),
            "classes": format_named(self.classes),
            "truncation": "" if self.truncation == 1 else format_number(self.truncation),
            "sliders": self.sliders[:8] if self.shift else "",
        }
        return {name: text for name, text in found.items() if text}

    @property
    def query(self) -> str:
        """The query of the point in a URL: one text for equal points."""
        return "&".join(f"{name}={quote(text, safe=':,*')}" for name, text in self.parameters.items())


def parse_point(at: str, shift: str = "", classes: str = "", truncation: str = "", sliders: str = "") -> Point:
    """Parse the parameters of a URL. Raises PointError."""
    parts: dict[str, object] = {"at": [_parse_atom(text) for text in at.split(",")]}
    parts |= {"shift": parse_named("shift", shift)} if shift else {}
    parts |= {"classes": parse_named("classes", classes)} if classes else {}
    parts |= {"truncation": parse_number("truncation", truncation)} if truncation else {}
    parts |= {"sliders": sliders} if sliders else {}
    try:
        return Point.model_validate(parts)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        raise PointError(f"{name}: {message}, got {_quote(fault['input'])}" if name else message) from error


def class_weights(point: Point, classes: Sequence[str]) -> dict[int, float]:
    """Return the weights of a model's classes by their numbers, with the sum 1; empty if the model has no classes.

    The point must name classes of the model only.
    """
    if not classes:
        return {}
    if not point.classes:
        return {point.at[0].image_index % len(classes): 1.0}
    total = sum(point.classes.values())
    return {classes.index(name): weight / total for name, weight in point.classes.items()}


def format_atoms(atoms: Sequence[Atom]) -> str:
    """Return the text of some latents, such as `1:0*0.94,777:0*0.35`."""
    return ",".join(
        f"{seed}:{index}" + ("" if weight == 1 else f"*{format_number(weight)}") for seed, index, weight in atoms
    )


def format_named(numbers: Mapping[str, float]) -> str:
    """Return the text of named numbers, such as `brightness:1.2,colour:-0.5`."""
    return ",".join(f"{_hide(name)}:{format_number(number)}" for name, number in numbers.items())


def format_number(value: float) -> str:
    """Return the shortest decimal of a number with at most 6 digits after the point."""
    return f"{round_number(value):.{_DIGITS}f}".rstrip("0").rstrip(".")


def parse_number(name: str, text: str) -> float:
    """Parse a decimal number. Raises PointError, with the name of the parameter."""
    if not _NUMBER.fullmatch(text):
        raise PointError(f"{name}: must be a number like 0.8, got {_quote(text)}")
    return float(text)


def parse_atoms(text: str) -> list[Atom]:
    """Parse latents like `1:0*0.94,777:0*0.35`. Raises PointError."""
    return [_parse_atom(part) for part in text.split(",")]


def _parse_atom(text: str) -> Atom:
    match = _ATOM.fullmatch(text.strip())
    if match is None:
        raise PointError(f"at: must be like 1:0 or 1:0*0.94,777:0*0.35 (seed:index*weight), got {_quote(text)}")
    seed, index, weight = match.groups()
    return Atom(int(seed), int(index), 1.0 if weight is None else parse_number("at", weight))


def parse_named(parameter: str, text: str) -> dict[str, float]:
    """Parse named numbers like `brightness:1.2,colour:-0.5`. Raises PointError."""
    numbers = dict[str, float]()
    for part in text.split(","):
        name, _, number = part.rpartition(":")
        if not name:
            raise PointError(f"{parameter}: must be like NAME:1.2, separated by commas, got {_quote(part)}")
        if (known := unquote(name)) in numbers:
            raise PointError(f"{parameter}: {_quote(known)} is named twice; name it once")
        numbers[known] = parse_number(parameter, number)
    return numbers


def _without_zeros(numbers: Mapping[str, object]) -> dict[str, object]:
    return {
        name: number
        for name, number in numbers.items()
        if not isinstance(number, int | float) or round_number(number) != 0
    }


def _hide(name: str) -> str:
    """Escape the characters that separate names and numbers."""
    return name.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")


def _quote(value: object) -> str:
    return repr(str(value)[:_MAX_QUOTED_CHARACTERS])
