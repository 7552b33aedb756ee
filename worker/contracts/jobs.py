"""What a job is, from the request until its end, as both sides read it from the store."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.catalog import CatalogEntry, Sha256, needs
from worker.contracts.owners import Owner
from worker.contracts.styles import StyleSpec

JOB_ID_PATTERN = r"^[A-Za-z0-9_-]{22}$"
"""22 characters from `secrets.token_urlsafe(16)`."""

Format = Literal["png", "webp", "jpeg", "npz"]
SUFFIXES: dict[Format, str] = {"png": "png", "webp": "webp", "jpeg": "jpg", "npz": "npy"}

Layout = Literal[1, 2]
"""How an archive is laid out. Layout 2 adds the model's numbers of the classes, and the list of their names."""
LAYOUT: Layout = 2
"""The layout of new jobs."""

DEFAULT_TTL_HOURS = 7 * 24
MOST_TTL_HOURS = 876_000
"""A hundred years. Much longer times have no date of expiry."""
FAILED_TTL_HOURS = 1
"""How long the images of a job that has failed are kept."""

JobId = Annotated[str, StringConstraints(pattern=JOB_ID_PATTERN)]


class Cut(BaseModel):
    """How a job is cut into shards: a small one first, so that images come soon; then growing up to a size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(ge=1)
    """Images in the first shard."""
    most: int = Field(ge=1)
    """Images in a shard once they have grown."""

    def start(self, shard: int) -> int:
        """Position of a shard's first image."""
        growing = self._growing
        if shard <= growing:
            return self.first * (((1 << 2 * shard) - 1) // 3)
        return self.start(growing) + (shard - growing) * self.most

    def shard_of(self, position: int) -> int:
        """Find the shard that has the image at a position."""
        growing = self._growing
        grown = self.start(growing)
        if position < grown:
            return ((3 * (position // self.first) + 1).bit_length() - 1) // 2
        return growing + (position - grown) // self.most

    @property
    def _growing(self) -> int:
        """Number of shards that are smaller than `most`, as each but the first is four times the one before."""
        return ((-(-self.most // self.first) - 1).bit_length() + 1) // 2


class JobSpec(BaseModel):
    """The accepted request, written once before the job is queued and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: JobId
    model: CatalogEntry
    class_label: str | None
    """The one class asked for; None on a conditional model means all of them in turn."""
    n: int = Field(ge=1)
    first: int = Field(default=0, ge=0)
    """Index of the first image."""
    seed: int = Field(ge=0)
    format: Format = "png"
    layout: Layout = 1
    """A job that was accepted before there were others has the first, so that its archive stays the same to the bit."""
    style: StyleSpec | None = None
    cut: Cut
    owner: Owner = ""
    created: datetime
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1)
    """How long its images are kept, from its end."""
    request: Sha256 | None = None
    """Of what was asked for under an idempotency key."""

    @property
    def shard_count(self) -> int:
        """Number of shards that the job is cut into."""
        return self.cut.shard_of(self.n - 1) + 1

    @property
    def is_short(self) -> bool:
        """Whether somebody may be waiting for it: a job of one shard overtakes long ones between their shards.

        Styled images take seconds each, so none of their jobs is short.
        """
        return self.shard_count == 1 and self.style is None

    @property
    def needs(self) -> str:
        """Name what a worker must have to render it: the model, and the weights of VGG19 that it is styled by."""
        return needs(self.model.sha256, self.style.weights if self.style else None)

    def shard_indices(self, shard: int) -> range:
        """Image indices of one shard; the last shard may be shorter."""
        start, stop = self.cut.start(shard), min(self.cut.start(shard + 1), self.n)
        return range(self.first + start, self.first + stop)

    def locate(self, index: int) -> tuple[int, int]:
        """Find the shard of an image, and its position therein."""
        position = index - self.first
        shard = self.cut.shard_of(position)
        return shard, position - self.cut.start(shard)

    def labels(self, indices: range) -> list[int]:
        """Find the class labels of images; empty when the model is unconditional.

        Without a chosen class, labels take turns by index, so that a longer job starts with the shorter one.
        """
        if not self.model.classes:
            return []
        if self.class_label is not None:
            return [self.model.classes.index(self.class_label)] * len(indices)
        return [index % len(self.model.classes) for index in indices]

    @property
    def numbers_classes(self) -> bool:
        """Whether the archive tells the numbers of its classes."""
        return self.layout > 1 and bool(self.model.classes)

    def class_name(self, index: int) -> str | None:
        """Name an image's class; None when the model is unconditional."""
        classes = self.model.classes
        if not classes or self.class_label is not None:
            return self.class_label
        return classes[index % len(classes)]


class JobError(BaseModel):
    """Why a job failed: a stable code and a sentence, never a traceback."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str


class JobState(BaseModel):
    """How a job ended. Whoever writes it first decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["succeeded", "failed", "cancelled"]
    started: datetime | None
    """When the first shard began, if that is still known."""
    finished: datetime
    error: JobError | None = None

    def expires(self, spec: JobSpec) -> datetime:
        """Tell when the images are removed; the spec stays, and makes the same ones again.

        No job ends before it begins: a worker whose clock is behind does not make its images expire early.
        """
        kept = {"succeeded": min(spec.ttl_hours, MOST_TTL_HOURS), "failed": FAILED_TTL_HOURS, "cancelled": 0}
        return max(self.finished, spec.created) + timedelta(hours=kept[self.outcome])

    def has_expired(self, spec: JobSpec, now: datetime) -> bool:
        """Tell whether the images may have been removed."""
        return self.expires(spec) <= now
