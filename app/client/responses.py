"""The JSON objects of the API, as the client reads them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from app.archive_name import points_checksum, walk_name
from app.client.links import resolved


class ApiObject(BaseModel):
    """A JSON object of the API. Fields that only a newer server sends are kept unchanged."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Links(ApiObject):
    """The URLs of a job."""

    self_: str = Field(alias="self")
    download: str

    def resolved(self, request_url: str, server: str) -> Self:
        """Resolve all links of the response to a request."""
        links = self.model_dump(by_alias=True)
        urls = {name: resolved(link, request_url, server) for name, link in links.items() if isinstance(link, str)}
        return self.model_validate(links | urls)


class JobError(ApiObject):
    """The reason why a job failed."""

    message: str
    code: str | None = None
    retryable: bool = False


class ArchiveFields(ApiObject):
    """The fields of a job that make up the name of its archive."""

    name: str | None = None
    """Label that the request gave to the job."""
    model: str
    n: int
    seed: int
    class_label: str | None = Field(default=None, alias="class")
    classes: Mapping[str, int] | None = None
    """Number of images of each requested class; None if the request named no classes."""
    between: Mapping[str, Any] | None = None
    """The points of a walk, whose frames are the images; None for other jobs."""
    around: Mapping[str, Any] | None = None
    """The point around which the images lie, with the truncation; None for other jobs."""
    keep: float | None = None
    """Share of the images of each class that the quality gate keeps; None without a gate."""
    copies: str = "keep"
    distinct: int | None = None
    excluded: int = 0
    """Number of images that were thrown out of the dataset, and replaced."""
    split: str | None = None
    start: int = 0
    """Index of the first image, counted from the beginning of the split."""
    format: str = "png"
    layout: str | None = "imagefolder"
    """Layout of the archive. None for the format npz."""

    @property
    def walk(self) -> str | None:
        """Name of the walk; None for other jobs."""
        return walk_name(point["at"] for point in self.between["points"]) if self.between else None

    @property
    def points(self) -> str | None:
        """Checksum of the points of the images; None for other jobs."""
        return points_checksum(self.around, self.between)


class ClassYield(ApiObject):
    """The images of one class that a job has tried and kept."""

    kept: int
    tried: int
    low: float
    """Lower end of the 95 % interval of the share that is kept."""
    high: float


class JobYield(ClassYield):
    """The images that a job has tried and kept."""

    by_class: Mapping[str, ClassYield] = {}


class Job(ArchiveFields):
    """A job at one moment."""

    id: str
    state: str
    """`queued`, `running`, `succeeded`, `failed` or `cancelled`."""
    done: bool
    """Whether the job has ended."""
    images_done: int
    images_total: int
    next_start: int | None = None
    """The `start` of a request that continues the dataset without overlap; None while it is not known."""
    tried: int | None = None
    """Number of images that were rendered to find those of the dataset. None if the job keeps all, or if unknown."""
    yield_: JobYield | None = Field(default=None, alias="yield")
    """The share of the tried images that is kept. None if the job keeps all, or if it is unknown."""
    style_learnt: float | None = None
    """Progress from 0 to 1 while a model learns the style of the job."""
    images_per_s: float | None = None
    eta_seconds: float | None = None
    created: datetime | None = None
    finished: datetime | None = None
    expires: datetime | None = None
    """Time at which the images are removed. `rebuild` makes the same images again."""
    error: JobError | None = None
    links: Links


class JobPage(ApiObject):
    """A response of GET /jobs."""

    jobs: tuple[Job, ...]
    next: str | None = None
    """The value of `after` that continues the list. None at its end."""


class GateEffect(ApiObject):
    """The quality of a model's images if the gate keeps a share of them, on images that the gate has not seen."""

    keep: float
    yield_: float = Field(alias="yield")
    """Share of these images that pass the realism test."""


class Model(ApiObject):
    """A model of the service."""

    name: str
    sha256: str
    default: bool
    resolution: int | None = None
    """Side of the images in pixels."""
    classes: tuple[str, ...] = ()
    """Labels of a conditional model, in the order of their numbers."""
    gate: str | None = None
    """Checksum of the quality gate. Without one, keep and copies="drop" are refused."""
    training_images: Mapping[str, int] | None = None
    """Number of training images of each class; None if unknown."""
    class_yields: Mapping[str, float] | None = None
    """Share of the images of each class that pass the realism test without a gate; None if unknown."""
    effects: tuple[GateEffect, ...] = ()
    """Quality for several values of keep. The first one is without the gate."""


class ModelList(ApiObject):
    """The response of GET /models."""

    models: tuple[Model, ...]


class Style(ApiObject):
    """An image whose style other images can take. `id` is a hash of its pixels."""

    id: str
    width: int | None = None
    height: int | None = None


class StyleList(ApiObject):
    """The response of GET /styles."""

    styles: tuple[Style, ...]


class PixelDifference(ApiObject):
    """The absolute difference between the pixels of an image and of its address, from 0 to 255."""

    maximum: int
    mean: float
    local: float
    """Largest mean in a cell of 8 x 8 pixels."""


class Verification(ApiObject):
    """Whether the service made an image."""

    made_here: bool | None
    """None if it cannot be checked."""
    verdict: str
    """`equal`, `close` (re-encoded or resized), `different`, `unmarked`, `unknown_model` or `unknown_style`."""
    summary: str
    """The verdict as a sentence."""
    mark: Mapping[str, str] | None = None
    """The mark in the file; None if it has none of this service."""
    address: Mapping[str, Any] | None = None
    """The address of the image, and its `url` in the service."""
    difference: PixelDifference | None = None
    """None if no pixels were compared."""


class Problem(ApiObject):
    """The reason why the service refused a request."""

    detail: str
    code: str | None = None
    retryable: bool = False
