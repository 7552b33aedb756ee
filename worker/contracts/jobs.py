"""The stored records of a job: its request, its division into shards, and its end."""

from bisect import bisect_right
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
"""Version of the archive's layout. Layout 2 adds the model's class numbers and the list of class names."""
LAYOUT: Layout = 2
"""The layout of new jobs."""

DEFAULT_TTL_HOURS = 7 * 24
MOST_TTL_HOURS = 876_000
"""A hundred years. Much longer times exceed the range of datetime."""
FAILED_TTL_HOURS = 1
"""Hours that the images of a failed job are kept."""

JobId = Annotated[str, StringConstraints(pattern=JOB_ID_PATTERN)]


class Cut(BaseModel):
    """Division of a job into shards. The first shard is small, so that images come soon; later ones grow to a maximum.

    Each shard has four times the images of the one before, until `most` is reached.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(ge=1)
    """Number of images in the first shard."""
    most: int = Field(ge=1)
    """Largest number of images in a shard."""

    def start(self, shard: int) -> int:
        """Return the position of a shard's first image in the job."""
        starts = self._growing_starts
        grown = len(starts) - 1
        return starts[shard] if shard <= grown else starts[grown] + (shard - grown) * self.most

    def shard_of(self, position: int) -> int:
        """Return the number of the shard that contains the image at a position of the job."""
        starts = self._growing_starts
        if position < starts[-1]:
            return bisect_right(starts, position) - 1
        return len(starts) - 1 + (position - starts[-1]) // self.most

    @property
    def _growing_starts(self) -> list[int]:
        """Positions where the shards smaller than `most` start, and where the first shard of `most` images starts.

        The list is short even for jobs of many shards, because sizes grow by four.
        """
        starts, size = [0], self.first
        while size < self.most:
            starts.append(starts[-1] + size)
            size *= 4
        return starts


class JobSpec(BaseModel):
    """The accepted request. It is written once, before the job is queued, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: JobId
    model: CatalogEntry
    class_label: str | None
    """The requested class; None means all classes of the model, one after the other."""
    n: int = Field(ge=1)
    first: int = Field(default=0, ge=0)
    """Index of the first image."""
    seed: int = Field(ge=0)
    format: Format = "png"
    layout: Layout = 1
    """Jobs that were stored before this field existed have layout 1: the bytes of their archives must stay the same."""
    style: StyleSpec | None = None
    cut: Cut
    owner: Owner = ""
    created: datetime
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1)
    """Hours that the images are kept after the end of the job."""
    request: Sha256 | None = None
    """Checksum of the request if it had an idempotency key."""

    @property
    def shard_count(self) -> int:
        """Number of shards of the job."""
        return self.cut.shard_of(self.n - 1) + 1

    @property
    def is_short(self) -> bool:
        """Whether the job waits in the queue of short jobs, which is served first: it has one shard and no style.

        Jobs with a style are never short, because each image takes seconds.
        """
        return self.shard_count == 1 and self.style is None

    @property
    def needs(self) -> str:
        """Name of the model, and of the VGG19 weights if it has a style, that a worker needs to render the job."""
        return needs(self.model.sha256, self.style.weights if self.style else None)

    @property
    def style_mode(self) -> str:
        """The mode of the job's style, or `none`. It is a label of metrics."""
        return self.style.mode if self.style else "none"

    def shard_indices(self, shard: int) -> range:
        """Return the image indices of one shard. The last shard may be shorter."""
        start, stop = self.cut.start(shard), min(self.cut.start(shard + 1), self.n)
        return range(self.first + start, self.first + stop)

    def locate(self, index: int) -> tuple[int, int]:
        """Return the shard of an image and the image's position in the shard."""
        position = index - self.first
        shard = self.cut.shard_of(position)
        return shard, position - self.cut.start(shard)

    def labels(self, indices: range) -> list[int]:
        """Return the class labels of images; empty if the model is unconditional.

        Without a requested class, the label is a function of the index, so that a longer job contains a shorter one.
        """
        if not self.model.classes:
            return []
        if self.class_label is not None:
            return [self.model.classes.index(self.class_label)] * len(indices)
        return [index % len(self.model.classes) for index in indices]

    @property
    def numbers_classes(self) -> bool:
        """Whether the archive's metadata contains class numbers."""
        return self.layout > 1 and bool(self.model.classes)

    def class_name(self, index: int) -> str | None:
        """Return the name of an image's class; None if the model is unconditional."""
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
    """The end of a job. The first state that is written counts; later ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["succeeded", "failed", "cancelled"]
    started: datetime | None
    """Start of the first shard; None if Redis has lost it."""
    finished: datetime
    error: JobError | None = None

    def expires(self, spec: JobSpec) -> datetime:
        """Return when the images are removed. The spec stays, so that a rebuild can make the same images.

        An end before `created` comes from a worker whose clock is behind. Then the images are kept from `created` on.
        """
        # Old specs may have a longer time than today's limit, and datetime would overflow.
        kept = {"succeeded": min(spec.ttl_hours, MOST_TTL_HOURS), "failed": FAILED_TTL_HOURS, "cancelled": 0}
        return max(self.finished, spec.created) + timedelta(hours=kept[self.outcome])

    def has_expired(self, spec: JobSpec, now: datetime) -> bool:
        """Return whether the images may have been removed."""
        return self.expires(spec) <= now
