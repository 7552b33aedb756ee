"""The JSON object that answers /estimate."""

from pydantic import BaseModel, Field

from worker.contracts.formats import Format


class Range(BaseModel):
    """An expected number, and its 95 % interval."""

    expected: int
    low: int
    high: int


class EstimatedSeconds(BaseModel):
    """The time of a job from the request to its end, and the parts of it."""

    total: float
    waiting: float
    """Time that workers spend on other jobs before this one ends."""
    learning: float
    """Time in which a model learns the style; 0 without one, and if it was learnt before."""
    rendering: float
    """Time to render, style, encode and store the images."""
    closing: float
    """Time to write the end of the archive."""


class DiskEstimate(BaseModel):
    """The disk space of a job in bytes."""

    reserved: int
    """Space that the job reserves until it ends: an upper bound of its archive."""
    free: int | None
    """Free space of the disk, other reservations included; None for a bucket."""


class QuotaEstimate(BaseModel):
    """The part of the key's limits that the job takes until its images are rendered."""

    images: int
    """Images that count, with those that a selection is expected to reject."""
    images_left: int | None
    """Images that the key may have open beside its open ones; None without a limit."""
    jobs_left: int | None
    """Jobs that the key may have open beside its open ones; None without a limit."""


class Refusal(BaseModel):
    """The error that /generate would send now."""

    status: int
    code: str
    detail: str
    retryable: bool
    """True when the same request may succeed later."""


class Fits(BaseModel):
    """Whether /generate would accept the job now. Each part is None, or the error of /generate."""

    now: bool
    """Whether all parts fit."""
    size: Refusal | None
    """The number of images, compared with the limits of the server and of the key."""
    workers: Refusal | None
    quota: Refusal | None
    disk: Refusal | None


class Estimate(BaseModel):
    """The expected costs of a job. Nothing is created."""

    model: str
    n: int
    classes: dict[str, int] | None
    """Number of images of each class; None if the model has no classes."""
    format: Format
    tries: Range | None
    """Images that are rendered to find those of the dataset, like `tried` of a job. None if the job keeps all."""
    bytes_: Range | None = Field(serialization_alias="bytes")
    """Size of the archive. None while no worker has measured the model."""
    seconds: EstimatedSeconds | None
    """None while a part of it is unknown; `notes` has the reason."""
    disk: DiskEstimate
    quota: QuotaEstimate
    hours_kept: int
    """Hours for which the images are kept after the end of the job."""
    fits: Fits
    notes: list[str]
    """Reasons for unknown figures, and the limits of the others."""
