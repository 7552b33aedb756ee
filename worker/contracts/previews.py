"""A preview: one picture of the images of several points, in rows. It is no dataset, so nothing stores it."""

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.catalog import CatalogEntry, Sha256
from worker.contracts.points import Point

MAX_POINTS = 64
MAX_PIXELS = 4 << 20
"""Largest number of pixels of the picture."""


class Preview(BaseModel):
    """The request for a preview. All its points name classes and sliders of the model only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: CatalogEntry
    sliders: Sha256 | None
    """Checksum of the file of sliders that the points name; None if no point has a shift."""
    points: tuple[Point, ...] = Field(min_length=1, max_length=MAX_POINTS)
    columns: int = Field(ge=1, le=MAX_POINTS)
