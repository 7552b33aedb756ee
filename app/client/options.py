"""The options of requests for images."""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

Format = Literal["png", "webp", "jpeg", "npz"]
ImageFormat = Literal["png", "webp", "jpeg"]
Layout = Literal["imagefolder", "parquet", "webdataset"]
Copies = Literal["keep", "drop"]
Classes = Mapping[str, int] | Sequence[str] | str
"""Counts by class, names of classes, or the text of the parameter: `a:100,b:50` or `a,b`."""
StyleMode = Literal["standard", "distilled"]
Split = Literal["train", "validation", "test"]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]

SUFFIXES = {"png": "png", "webp": "webp", "jpeg": "jpg"}
"""Suffixes of image files by format."""


def classes_text(classes: Classes | None) -> str | None:
    """Return the value of the parameter `classes`."""
    if classes is None or isinstance(classes, str):
        return classes
    if isinstance(classes, Mapping):
        return ",".join(f"{_quoted(name)}:{count}" for name, count in classes.items())
    return ",".join(_quoted(name) for name in classes)


def _quoted(name: str) -> str:
    # Scripts without a type checker often pass the number of a class.
    if not isinstance(name, str):
        raise TypeError(f"classes: a name is a string, got {name!r}")
    return quote(name, safe="")


def given(parameters: Mapping[str, str | int | float | None]) -> dict[str, str | int | float]:
    """Return the parameters that are not None. The server chooses the others."""
    return {name: value for name, value in parameters.items() if value is not None}
