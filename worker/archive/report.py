"""The report of a dataset: the member report.json of an archive."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.around import Around
from worker.contracts.catalog import GateEffect, Sha256
from worker.contracts.formats import Format, Marking, Packing
from worker.contracts.marks.xmp_packet import DIGITAL_SOURCE_TYPE
from worker.contracts.styles import StyleSpec
from worker.contracts.walk import Walk

SCHEMA_VERSION: Literal[1] = 1


def _is_none(value: object) -> bool:
    return value is None  # so that the reports of other datasets keep their bytes


class _Part(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Request(_Part):
    """The request: the same request gives the same images."""

    model: Sha256
    seed: int
    start: int
    """Index of the first candidate."""
    n: int
    class_label: str | None = Field(validation_alias="class", serialization_alias="class")
    """The requested class; None for several classes."""
    shares: dict[str, int] | None
    """Proportions of the requested classes; None if all classes have equal shares."""
    keep: float | None
    """Share of the images of each class that the quality gate keeps; None without a gate."""
    copies: Literal["keep", "drop"]
    distinct: int | None
    format: Format
    layout: Packing
    marking: Marking
    """Kind of the mark in each image file."""
    style: StyleSpec | None
    around: Around | None = Field(default=None, exclude_if=_is_none)
    """The point around which the images lie; missing if they have the latents of the seed."""
    between: Walk | None = Field(default=None, exclude_if=_is_none)
    """The walk whose frames the images are; missing if they are no frames."""

    @property
    def placement(self) -> Around | Walk | None:
        """Where the images lie among the latents."""
        return self.between or self.around


class Indices(_Part):
    """The candidates of the dataset in the index sequence of the seed."""

    first: int
    """Index of the first candidate."""
    last: int
    """Index of the last image."""
    next_start: int
    """The `start` of a request that goes on after these images."""


class ClassImages(_Part):
    """The images of one class."""

    kept: int
    tried: int
    """Candidates that were looked at to find them; equal to `kept` without a selection."""
    training_images: int | None
    """Number of training images; None if unknown."""
    model_yield: float | None
    """Share of the model's images that pass the realism test without a gate; None if unknown."""


class Images(_Part):
    """The numbers of images."""

    kept: int
    tried: int
    by_class: dict[str, ClassImages]
    """The same for each requested class; empty if the model has no classes."""


class Yield(_Part):
    """The share of the tried candidates that are kept, with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float


class Rejected(_Part):
    """The tried candidates that were not kept, by the rule that rejected them."""

    below_score: int
    copies: int
    near_duplicates: int


class Gate(_Part):
    """The quality gate that chose the images, and its effect on images that it has not seen."""

    sha256: Sha256
    least_score: int
    """Lowest score of a kept image, of 1000."""
    without_gate: GateEffect | None
    nearest: GateEffect | None
    """The effect of the measured share that is nearest to `keep`."""


class Duplicates(_Part):
    """The pairs of images with close hashes, among the first images."""

    images: int
    """Number of images that were compared."""
    bits: int
    """Largest difference of two close hashes, of 64 bits."""
    pairs: int
    close_pairs: int
    expected_close_pairs_of_training_images: float | None
    """Close pairs among equally many training images, on average; None if unknown."""


class ClassCuration(_Part):
    """The images of one class that the user has thrown out."""

    excluded: tuple[int, ...]
    """Indices of the images that were thrown out."""
    replacements: tuple[int, ...]
    """Indices of the images that the dataset has instead: the next ones of the class."""


class Curation(ClassCuration):
    """The images that the user has thrown out, and those that replace them."""

    by_class: dict[str, ClassCuration]
    """The same for each class with excluded images; empty if the model has no classes."""


class Copies(_Part):
    """The search for copies of training images, by hashes."""

    bits: int
    """Largest difference of a copy's hash to that of a training image, of 64 bits."""
    dropped: int
    """Number of tried candidates that were copies. The dataset has none of them."""


class Scores(_Part):
    """Quantiles of the scores of the images, from 0 to 1000."""

    least: int
    quarter: int
    median: int
    three_quarters: int
    most: int


class ModelReport(_Part):
    """The model, and its figures as its checkpoint holds them."""

    name: str
    sha256: Sha256
    resolution: int
    classes: tuple[str, ...]
    training_data: str
    licence: str
    metrics: dict[str, float]
    judge: str | None
    """Feature network of the gate's effects and of the yields of classes; None if they are unknown."""


class Report(_Part):
    """The facts of a dataset. They depend on the request, the model and the images, not on the job or on the time."""

    schema_version: Literal[1] = SCHEMA_VERSION
    digital_source_type: str = DIGITAL_SOURCE_TYPE
    archive_version: int
    numerics: str
    """Device type and number format that the images were computed in."""
    request: Request
    indices: Indices
    images: Images
    yield_: Yield | None = Field(validation_alias="yield", serialization_alias="yield")
    """None if the dataset keeps all candidates."""
    rejected: Rejected | None
    gate: Gate | None
    duplicates: Duplicates
    copies: Copies | None
    """None if copies were not searched for."""
    scores: Scores | None
    curation: Curation | None = Field(default=None, exclude_if=_is_none)
    """Absent if the user has not thrown out images."""
    model: ModelReport
