"""The options of requests for images."""

from collections.abc import Mapping
from typing import Literal

Format = Literal["png", "webp", "jpeg", "npz"]
ImageFormat = Literal["png", "webp", "jpeg"]
StyleMode = Literal["standard", "distilled"]

SUFFIXES = {"png": "png", "webp": "webp", "jpeg": "jpg"}
"""Suffixes of image files by format."""


def given(parameters: Mapping[str, str | int | float | None]) -> dict[str, str | int | float]:
    """Return the parameters that are not None. The server chooses the others."""
    return {name: value for name, value in parameters.items() if value is not None}
