"""The JSON objects of the response of POST /verify."""

from typing import Literal

from pydantic import BaseModel, Field

from worker.contracts.formats import Marking
from worker.contracts.styles import StyleSpec

Verdict = Literal["equal", "close", "different", "unmarked", "unknown_model", "unknown_style"]


class Mark(BaseModel):
    """The mark in an image file."""

    kind: Marking
    digital_source_type: str
    """IPTC's term for the origin of the image."""
    identifier: str
    """URI of the image's address."""


class VerifiedAddress(BaseModel):
    """The address that a mark names, or that was found by a search."""

    model: str | None
    """Name of the model; None if no worker has it."""
    model_sha256: str
    seed: int
    index: int
    class_number: int | None
    """Number of the class in the order of the model's classes; None if the model is unconditional."""
    class_label: str | None = Field(serialization_alias="class")
    numerics: str
    style: StyleSpec | None
    point: str | None
    """The point of the image as the query of /images/{model}/at.png, whose seed and index are those of the last latent.
    None for a plain address."""
    url: str | None
    """Path of the image in this service; None if the model is unknown."""


class PixelDifference(BaseModel):
    """The absolute difference between the pixels of an image and of its address. Values are from 0 to 255."""

    maximum: int
    mean: float
    local: float
    """Largest mean in a cell of 8 x 8 pixels. It shows small changes."""
    is_resized: bool
    """Whether the images had different sizes, so that the larger one was reduced."""


class Verification(BaseModel):
    """Whether this service can render an image again."""

    made_here: bool | None
    """None if it cannot be checked."""
    verdict: Verdict
    summary: str
    """The verdict as a sentence."""
    mark: Mark | None
    """None if the image has no mark of this service."""
    address: VerifiedAddress | None
    difference: PixelDifference | None
    """None if no pixels were compared."""
