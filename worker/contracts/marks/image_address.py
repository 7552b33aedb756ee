"""The address of an image as a URI, which the mark of the image contains."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.contracts.catalog import Sha256
from worker.contracts.jobs import JobSpec
from worker.contracts.styles import StyleSpec

SCHEME = "imagemill"
MAX_NUMBER = 2**53 - 1
"""Largest seed and largest index."""
MAX_URI_BYTES = 640
"""Longest URI that is read. The longest one that is written is shorter."""
_URI = re.compile(
    rf"{SCHEME}:(?P<model>[0-9a-f]{{64}})/(?P<seed>[0-9]{{1,16}})/(?P<index>[0-9]{{1,16}})"
    r"(?P<parameters>(?:;[a-z]{1,16}=[A-Za-z0-9.+-]{1,64}){0,9})",
    re.ASCII,
)
_STYLE_PARAMETERS = {"style": "id", "mode": "mode", "strength": "strength", "steps": "steps", "method": "method"}
"""Fields of a style by the names of their parameters. The field `weights` may be missing, so it is added apart."""

_Number = Annotated[int, Field(ge=0, le=MAX_NUMBER)]


class ImageAddress(BaseModel):
    """Everything that fixes the pixels of an image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Sha256
    seed: _Number
    index: _Number
    class_number: Annotated[int, Field(ge=0, le=MAX_NUMBER)] | None = None
    """Number of the class among the model's classes; None if the model is unconditional."""
    numerics: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    style: StyleSpec | None = None

    @property
    def uri(self) -> str:
        """The address as a URI."""
        head, tail = _ends(self.model, self.seed, self.numerics, self.style)
        return head + position(self.index, self.class_number) + tail


def uri_ends(spec: JobSpec) -> tuple[str, str]:
    """Return what stands before and after the `position` of an image in the URIs of all images of a job."""
    return _ends(spec.model.sha256, spec.seed, spec.model.numerics.name, spec.style)


def position(index: int, class_number: int | None) -> str:
    """Return the part of a URI that differs between the images of a job."""
    return f"{index}" if class_number is None else f"{index};class={class_number}"


def parse_uri(uri: str) -> ImageAddress | None:
    """Return the address that a URI names; None if it is not a valid address."""
    match = _URI.fullmatch(uri) if len(uri) <= MAX_URI_BYTES else None
    if match is None:
        return None
    parameters = [part.split("=") for part in match["parameters"].split(";")[1:]]
    values = dict[str, str](parameters)
    style = style_of_parameters(values)
    address = {"model": match["model"], "seed": match["seed"], "index": match["index"]}
    address |= {"class_number": values.pop("class")} if "class" in values else {}
    try:
        # A repeated parameter, an unknown one or another spelling gives another URI than the one that was read.
        found = ImageAddress.model_validate({**address, **values, "style": style})
    except ValidationError:
        return None
    return found if found.uri == uri else None


def style_parameters(style: StyleSpec) -> dict[str, str]:
    """Return the parameters of a style in a URI."""
    parameters = {name: str(getattr(style, field)) for name, field in _STYLE_PARAMETERS.items()}
    return parameters | ({"weights": style.weights} if style.weights else {})


def style_of_parameters(values: dict[str, str]) -> dict[str, str] | None:
    """Take the fields of a style from the parameters of a URI; None if there are none."""
    style = {field: values.pop(name) for name, field in _STYLE_PARAMETERS.items() if name in values}
    style |= {"weights": values.pop("weights")} if "weights" in values else {}
    return style or None


def _ends(model: str, seed: int, numerics: str, style: StyleSpec | None) -> tuple[str, str]:
    parameters = {"numerics": numerics}
    if style is not None:
        parameters |= style_parameters(style)
    return f"{SCHEME}:{model}/{seed}/", "".join(f";{name}={value}" for name, value in parameters.items())
