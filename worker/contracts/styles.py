"""Styles: pictures that images can take the style of, and how."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.catalog import Sha256

Mode = Literal["standard"]
DEFAULT_STEPS = 60
"""From there on, the loss of a 64 px image falls by less than 5% (docs/style-transfer.md)."""
MAX_STEPS = 1000


class StyleEntry(BaseModel):
    """One picture that was brought."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Sha256
    """Of its size and its pixels, once it is upright RGB: the same picture in another file is the same style."""
    width: int
    height: int
    created: datetime


class StyleSpec(BaseModel):
    """How a job's images are styled. It is a part of their address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Sha256
    mode: Mode = "standard"
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = DEFAULT_STEPS
