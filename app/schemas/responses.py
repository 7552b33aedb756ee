"""The JSON objects in responses."""

from datetime import datetime
from typing import Literal

from pydantic import (
    BaseModel,
    Field,
    computed_field,
)

from app.archive_name import points_checksum, walk_name
from worker.contracts.around import Around
from worker.contracts.formats import Format, Packing
from worker.contracts.job_state import JobError
from worker.contracts.splits import Split
from worker.contracts.styles import StyleSpec
from worker.contracts.walk import Walk

_RETRYABLE = frozenset(
    {
        "artifact_damaged",
        "gate_unavailable",
        "model_unavailable",
        "no_worker",
        "out_of_memory",
        "weights_unavailable",
        "worker_crashed",
    }
)
"""Error codes of jobs that failed for a reason outside their request."""


class Links(BaseModel):
    """URLs of a job's files and actions."""

    self_: str = Field(serialization_alias="self")
    download: str
    cancel: str
    retry: str
    rebuild: str
    croissant: str
    """The dataset in Croissant (JSON-LD), once the job has succeeded."""
    extend: str
    curate: str
    sheet: str
    """A URL template in which {k} is the number of a sheet of thumbnails."""
    image: str | None
    """A URL template in which {index} is the image's index. None for formats without a file per image."""


class PublicJobError(JobError):
    """Why a job failed, and whether a retry (links.retry) may succeed."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def retryable(self) -> bool:
        """True if the cause was in the service, not in the request."""
        return self.code in _RETRYABLE


class ClassYield(BaseModel):
    """The images of one class that a job with a selection has tried and kept."""

    kept: int
    tried: int
    """Rendered images up to the last one that was needed."""
    low: float
    """Lower end of the 95 % interval of the share that is kept (Wilson)."""
    high: float


class JobYield(ClassYield):
    """The images that a job with a selection has tried and kept."""

    by_class: dict[str, ClassYield]
    """The same for each class; empty if the model has no classes."""


class Job(BaseModel):
    """A job as its owner sees it."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: bool
    """True if the job has ended, so that its state never changes again."""
    phase: Literal["learning style", "rendering"] | None
    """Phase of a running job; None in other states."""
    name: str | None
    """The label that the request gave to the job."""
    model: str
    model_sha256: str
    resolution: int
    """Height and width of the images in pixels."""
    n: int
    seed: int
    class_label: str | None = Field(serialization_alias="class")
    classes: dict[str, int] | None
    """Number of images of each requested class; None if the request had no `classes`."""
    keep: float | None
    """Share of the images of each class that the quality gate keeps; None without a gate."""
    copies: Literal["keep", "drop"]
    distinct: int | None
    split: Split | None
    """The range of the index space that the request named."""
    start: int
    """Index of the first image, counted from the beginning of the split. Without a split, it is the index itself."""
    next_start: int | None
    """The `start` of a request that continues the dataset without overlap; None while it is not known."""
    format: Format
    layout: Packing | None
    """How the archive packs the images. None for the format npz, which has a layout of its own."""
    style: StyleSpec | None
    around: Around | None
    """The point around which the images lie, with the truncation; None if they have the latents of the seed."""
    between: Walk | None
    """The walk whose frames the images are, in its order; None if they are no frames."""
    extends: str | None
    """Id of the job whose images are the beginning of this dataset. None if the job renders all images itself."""
    curates: str | None
    """Id of the job from whose dataset images were thrown out. Others replace them in this one."""
    excluded: int
    """Number of images that were thrown out of the dataset, and replaced."""
    images_done: int
    """Number of images that are rendered."""
    images_committed: int | None
    """Number of images that can be read, from the first one on. None in lists, where a running job selects images."""
    images_total: int
    tried: int | None
    """Number of images that were rendered to find those of the dataset. None if the job keeps all, or if unknown."""
    yield_: JobYield | None = Field(serialization_alias="yield")
    """The share of the tried images that is kept, so far. None if the job keeps all, or if it is unknown."""
    style_learnt: float | None
    """Progress of learning the style, from 0 to 1. Only for running jobs of the mode `distilled`."""
    images_per_s: float | None
    eta_seconds: float | None
    created: datetime
    finished: datetime | None
    expires: datetime | None
    """Time at which the images of an ended job are removed. links.rebuild renders the same bytes again."""
    error: PublicJobError | None
    links: Links

    @property
    def walk(self) -> str | None:
        """Name of the walk whose frames the images are; None for other jobs."""
        return walk_name(point.at for point in self.between.points) if self.between else None

    @property
    def points(self) -> str | None:
        """Checksum of the points of the images; None for other jobs."""
        return points_checksum(*(part and part.model_dump(mode="json") for part in (self.around, self.between)))


class JobPage(BaseModel):
    """A part of the list of jobs, the newest first."""

    jobs: list[Job]
    """Where a job selects images, `tried`, `yield` and `next_start` are null here. GET /jobs/{id} has them."""
    next: str | None
    """The value of `after` that continues the list. None at its end."""


class Style(BaseModel):
    """An image whose texture and colours other images can take."""

    id: str
    """Value of the parameter `style` of /generate."""
    width: int
    height: int
    created: datetime
    thumbnail: str


class StyleList(BaseModel):
    """All styles."""

    styles: list[Style]


class Problem(BaseModel):
    """An error, in the format of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    """Identifies the kind of error. It never changes, so programs may compare it."""
    retryable: bool
    """True when the same request may succeed later."""
