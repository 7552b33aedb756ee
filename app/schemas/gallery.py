"""The parameters and objects of the gallery of a job."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.parameter_types import MAX_SEED, REJECT_ODD_SPELLING
from worker.contracts.selection import BEST_SCORE, MAX_EXCLUDED

Sort = Literal["index", "best", "worst"]
Show = Literal["all", "kept", "excluded"]
Index = Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)]
_SHEET_IMAGES = 256
"""Largest number of thumbnails of a sheet."""


class GalleryQuery(BaseModel):
    """The images of a job that a gallery shows, and their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_label: str | None = Field(default=None, alias="class", description="Show only images of this class.")
    sort: Sort = Field(
        default="index",
        description=f"`index` (default), or by the score of the quality gate, from 0 to {BEST_SCORE}: `best` or "
        "`worst` first. Scores exist in jobs with `keep` or `copies=drop`, once they have ended.",
    )
    show: Show = Field(
        default="all", description="`all` images (default), or those that are `kept` or `excluded` by the picks."
    )


class SheetQuery(GalleryQuery):
    """The parameters of a sheet of thumbnails."""

    have: Annotated[int, Field(ge=0, le=_SHEET_IMAGES), REJECT_ODD_SPELLING] | None = Field(
        default=None,
        description="Number of thumbnails of this sheet that the client has. If there are more, the response has all "
        "that exist, although the sheet is not complete yet.",
    )


class Picks(BaseModel):
    """The images of a job that the user excludes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exclude: tuple[Index, ...] = Field(max_length=MAX_EXCLUDED, description="Indices of the images.")


class CurateRequest(BaseModel):
    """The images to exclude of a dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exclude: tuple[Index, ...] = Field(
        min_length=1, max_length=MAX_EXCLUDED, description="Indices of the images to exclude."
    )
    refill: Literal[True] = Field(
        default=True, description="Each image is replaced by the next one of its class. Nothing else is possible yet."
    )


class ImageFacts(BaseModel):
    """One image of a job."""

    index: int
    seed: int
    class_label: str | None = Field(serialization_alias="class")
    sha256: str
    """Checksum of the image's bytes."""
    score: int | None
    """Score of the quality gate; None without one."""
    address: str
    """URL of the endpoint that renders the image by its permanent address."""
    image: str | None
    """URL of the image's file; None for the format npz."""
