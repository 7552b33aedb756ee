"""The options of requests for images."""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

Format = Literal["png", "webp", "jpeg", "npz"]
ImageFormat = Literal["png", "webp", "jpeg"]
Copies = Literal["keep", "drop"]
Classes = Mapping[str, int] | Sequence[str] | str
"""Counts by class, names of classes, or the text of the parameter: `a:100,b:50` or `a,b`."""
StyleMode = Literal["standard", "distilled"]

SUFFIXES = {"png": "png", "webp": "webp", "jpeg": "jpg"}
"""Suffixes of image files by format."""


def classes_text(classes: Classes | None) -> str | None:
    """Return the value of the parameter `classes`."""
    if classes is None or isinstance(classes, str):
        return classes
    if isinstance(classes, Mapping):
        return ",".join(f"{quote(name, safe='')}:{count}" for name, count in classes.items())
    return ",".join(quote(name, safe="") for name in classes)


def given(parameters: Mapping[str, str | int | float | None]) -> dict[str, str | int | float]:
    """Return the parameters that are not None. The server chooses the others."""
    return {name: value for name, value in parameters.items() if value is not None}
