"""The parameters of requests."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.schemas.around_request import AROUND_DESCRIPTION, AroundParameter
from app.schemas.between_request import BETWEEN_DESCRIPTION, BetweenParameter
from app.schemas.class_request import CLASSES_DESCRIPTION, Classes, parse_classes
from app.schemas.image_options import ImageOptions
from app.schemas.parameter_types import (
    MAX_START,
    REJECT_ODD_SPELLING,
    REJECT_QUOTED,
    SeedOrIndex,
    WholeNumber,
    conflict,
)
from worker.contracts.formats import Format, Packing
from worker.contracts.jobs import JobName
from worker.contracts.points import MAX_TRUNCATION
from worker.contracts.selection import BEST_SCORE, MAX_DISTINCT_BITS, Selection
from worker.contracts.splits import MAX_SPLIT_START, Split, split_indices

KEEP_STEP = 0.001
"""Interval between two values of `keep`: scores are per mille."""
MIN_KEEP = 0.01
"""Smallest value of `keep`. A gate knows the best image and the best hundredth of its sample, and nothing between.

Scores in the best hundredth are interpolated. They are too low there: of a normal distribution, a third of the promised
share reaches 999, and often none. A job would try all its candidates and fail.
"""


_NOT_ON_A_WALK = (
    *("class", "classes", "seed", "start", "split"),
    *("keep", "copies", "distinct", "around", "truncation"),
)
"""Parameters that choose latents or classes, or leave out images."""


def _is_none(value: object) -> bool:
    return value is None  # so that the checksum of a request with a key stays the same if a parameter is added


class ImageRequest(ImageOptions):
    """The images that a request asks for."""

    n: WholeNumber = Field(
        description="Number of images, from 1 to the server's limit, which is 100000 by default. "
        "May be left out if `classes` has counts.",
        json_schema_extra={"minimum": 1},
    )
    classes: Classes | None = Field(default=None, description=CLASSES_DESCRIPTION, exclude_if=_is_none)
    model: str | None = Field(
        default=None, description="Name of a model from /models. Default: the server's default model."
    )
    seed: SeedOrIndex | None = Field(
        default=None, description="Determines the images. If omitted, the server chooses a random seed."
    )
    start: SeedOrIndex = Field(
        default=0, description="Index of the first image. Use it to extend a dataset later. Default: 0."
    )
    format: Format = Field(
        default="png",
        description="`png` (default), lossless `webp`, `jpeg` with quality 95, or `npz` with uint8 arrays for NumPy.",
    )
    layout: Packing | None = Field(
        default=None,
        description="How the archive packs the images: `imagefolder` (default), a ZIP of image files in class folders; "
        "`parquet`, a ZIP of Parquet files as Hugging Face datasets have them; or `webdataset`, a tar of samples.",
        exclude_if=_is_none,
    )
    keep: Annotated[float, Field(ge=MIN_KEEP, le=1, multiple_of=KEEP_STEP), REJECT_QUOTED] | None = Field(
        default=None,
        description="Share of the images of each class that the model's quality gate keeps: those that look most real. "
        "From 0.01 to 1 in steps of 0.001. Default: 1, which keeps all.",
        exclude_if=_is_none,
    )
    copies: Literal["keep", "drop"] | None = Field(
        default=None,
        description="With `drop`, images that are copies of training images are left out. Default: `keep`.",
        exclude_if=_is_none,
    )
    distinct: Annotated[int, Field(ge=0, le=MAX_DISTINCT_BITS), REJECT_ODD_SPELLING] | None = Field(
        default=None,
        description="An image is left out if its 64-bit hash differs from that of an earlier image of the dataset in "
        "at most this many bits, from 0 to 3. Default: all images stay.",
        exclude_if=_is_none,
    )

    around: AroundParameter | None = Field(default=None, description=AROUND_DESCRIPTION, exclude_if=_is_none)
    between: BetweenParameter | None = Field(default=None, description=BETWEEN_DESCRIPTION, exclude_if=_is_none)
    truncation: Annotated[float, Field(ge=0, le=MAX_TRUNCATION), REJECT_QUOTED] | None = Field(
        default=None,
        description="Factor of the latents, from 0 to 2: below 1, images are more alike and more typical. Default: 1. "
        "Not with keep, copies or distinct.",
        exclude_if=_is_none,
    )

    @model_validator(mode="before")
    @classmethod
    def _count_images(cls, parameters: Any) -> Any:  # noqa: ANN401
        """Fill in n from the counts of `classes`."""
        if not isinstance(parameters, dict) or "n" in parameters or parameters.get("classes") is None:
            return parameters
        try:
            total = parse_classes(parameters["classes"]).total
        except PydanticCustomError:
            total = 1  # the field `classes` raises the same error, and n is not to blame
        return parameters if total is None else {**parameters, "n": total}

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if self.classes is not None and self.class_label is not None:
            raise conflict("class and classes cannot be combined; send `classes` alone")
        if self.format == "npz" and self.packing != "imagefolder":
            raise conflict(f"layout={self.layout} cannot be combined with format=npz, which has a layout of its own")
        if self.between is not None and (other := next(filter(self._has, _NOT_ON_A_WALK), None)):
            raise conflict(f"between and {other} cannot be combined: the points of a walk fix all its frames")
        if self.is_moved and self.selects:
            raise conflict(
                "keep, copies and distinct cannot be combined with around and truncation: their shares hold for the "
                "latents of the seed only; leave them out"
            )
        if self.around is not None and self.around.truncation != 1 and self.truncation is not None:
            raise conflict("truncation: sent twice; send it in around or beside it")
        if self.around is not None and self.around.classes and (self.class_label, self.classes) != (None, None):
            raise conflict("class and classes cannot be combined with classes in around; send one of them")
        return self

    @property
    def is_moved(self) -> bool:
        """Whether the images have other latents than those of the seed."""
        return self.around is not None or self.between is not None or self.truncation not in (None, 1)

    def _has(self, name: str) -> bool:
        """Return whether the request has a parameter. The default of `start` is not None."""
        value = getattr(self, "class_label" if name == "class" else name, None)
        return value is not None and not (name == "start" and value == 0)

    @property
    def packing(self) -> Packing:
        """The requested layout, or the default."""
        return self.layout or "imagefolder"

    @property
    def first(self) -> int:
        """Index of the first image."""
        return self.start

    @property
    def needs_gate(self) -> bool:
        """Whether the request needs the model's quality gate."""
        return self._keep_per_mille < BEST_SCORE or self.copies == "drop"

    @property
    def selects(self) -> bool:
        """Whether the job may leave out images."""
        return self.needs_gate or self.distinct is not None

    @property
    def expected_candidates(self) -> int:
        """Number of images that are expected to be rendered for the request."""
        selection = self.selection(None)
        return self.n if selection is None else selection.expected_candidates(self.n)

    def selection(self, gate: str | None) -> Selection | None:
        """Return the selection of the job, with the checksum of its gate; None if the job keeps all images."""
        if not self.selects:
            return None
        drops_copies = self.copies == "drop"
        return Selection(gate=gate, keep=self._keep_per_mille, drops_copies=drops_copies, distinct=self.distinct)

    @property
    def _keep_per_mille(self) -> int:
        return BEST_SCORE if self.keep is None else round(self.keep * BEST_SCORE)


class ExtendQuery(BaseModel):
    """The parameters of the extension of a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: WholeNumber = Field(
        description="Number of images to add, from 1 to the server's limit.", json_schema_extra={"minimum": 1}
    )


class GenerateQuery(ImageRequest):
    """The parameters of /generate. An unknown one is an error, so that a typo cannot render other images unnoticed."""

    start: Annotated[int, Field(ge=0, le=MAX_START), REJECT_ODD_SPELLING] = Field(
        default=0, description="Index of the first image. Use it to extend a dataset later. Default: 0."
    )
    split: Split | None = Field(
        default=None,
        description="`train`, `validation` or `test`: a range of the index space. Jobs of different splits never share "
        f"an image. `start` counts from the beginning of the split, up to {MAX_SPLIT_START}.",
        exclude_if=_is_none,
    )
    name: JobName | None = Field(
        default=None,
        description="A label of the dataset: letters a-z, digits and `.`, `_`, `-`, 64 at most. It is a part of the "
        "archive's name, and GET /jobs finds jobs by it. Several jobs may have the same name.",
        exclude_if=_is_none,
    )
    ttl_hours: WholeNumber | None = Field(
        default=None,
        description="Hours to keep the images after the job's end. Default: the server's limit, which is usually 168.",
        json_schema_extra={"minimum": 1},
    )

    @model_validator(mode="after")
    def _check_split(self) -> Self:
        if self.split is not None and self.start > MAX_SPLIT_START:
            raise conflict(f"start: must be at most {MAX_SPLIT_START} with split, got {self.start}")
        return self

    @property
    def first(self) -> int:
        """Index of the first image. `start` counts from the beginning of the split."""
        return split_indices(self.split).start + self.start
