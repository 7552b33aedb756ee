"""The answer of POST /estimate, as the client reads it."""

from collections.abc import Mapping

from pydantic import Field

from app.client.responses import ApiObject


class Range(ApiObject):
    """An expected number, and its 95 % interval."""

    expected: int
    low: int
    high: int


class EstimatedSeconds(ApiObject):
    """The time of a job from the request to its end, and the parts of it."""

    total: float
    waiting: float
    """Time that workers spend on other jobs before this one ends."""
    learning: float
    """Time in which a model learns the style."""
    rendering: float
    closing: float
    """Time to write the end of the archive."""


class DiskEstimate(ApiObject):
    """The disk space of a job in bytes."""

    reserved: int
    free: int | None = None


class QuotaEstimate(ApiObject):
    """The part of the key's limits that the job takes until its images are rendered."""

    images: int
    images_left: int | None = None
    """None without a limit."""
    jobs_left: int | None = None
    """None without a limit."""


class Refusal(ApiObject):
    """The error with which the service would refuse the job now."""

    status: int
    code: str
    detail: str
    retryable: bool = False


class Fits(ApiObject):
    """Whether the service would accept the job now. Each part is None or an error."""

    now: bool
    size: Refusal | None = None
    workers: Refusal | None = None
    quota: Refusal | None = None
    disk: Refusal | None = None

    @property
    def refusals(self) -> list[Refusal]:
        """The errors of all parts."""
        return [part for part in (self.size, self.workers, self.quota, self.disk) if part is not None]


class Estimate(ApiObject):
    """The expected costs of a job."""

    model: str
    n: int
    classes: Mapping[str, int] | None = None
    """Number of images of each class; None if the model has no classes."""
    tries: Range | None = None
    """Images that are rendered to find those of the dataset; None if the job keeps all."""
    bytes_: Range | None = Field(default=None, alias="bytes")
    """Size of the archive. None while it is unknown; `notes` has the reason."""
    seconds: EstimatedSeconds | None = None
    """None while it is unknown; `notes` has the reason."""
    disk: DiskEstimate
    quota: QuotaEstimate
    hours_kept: int
    """Hours for which the images are kept after the end of the job."""
    fits: Fits
    notes: tuple[str, ...] = ()
