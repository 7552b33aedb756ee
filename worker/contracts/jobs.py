"""The stored records of a job: its request, its division into shards, and its end."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.catalog import CatalogEntry, ModelFacts, Sha256, needs
from worker.contracts.class_cycle import class_counts, classes_at
from worker.contracts.cut import Cut
from worker.contracts.owners import Owner
from worker.contracts.selection import Selection
from worker.contracts.styles import StyleSpec

JOB_ID_PATTERN = r"^[A-Za-z0-9_-]{22}$"
"""22 characters from `secrets.token_urlsafe(16)`."""

Format = Literal["png", "webp", "jpeg", "npz"]
SUFFIXES: dict[Format, str] = {"png": "png", "webp": "webp", "jpeg": "jpg", "npz": "npy"}

Layout = Literal[1, 2, 3]
"""Version of the archive's layout.

Layout 2 adds the model's class numbers and the list of class names. Layout 3 adds the hash of each image, and the
model's facts and the close pairs to the card.
"""
LAYOUT: Layout = 3
"""The layout of new jobs."""

DEFAULT_TTL_HOURS = 7 * 24
MOST_TTL_HOURS = 876_000
"""A hundred years. Much longer times exceed the range of datetime."""
FAILED_TTL_HOURS = 1
"""Hours that the images of a failed job are kept."""

JobId = Annotated[str, StringConstraints(pattern=JOB_ID_PATTERN)]

JobName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""A label that a user gives to jobs. It is restricted because it is a part of paths in the store and of file names."""


def _is_default(value: object) -> bool:
    return not value  # older programs read the specs of jobs that do not use newer fields


class JobSpec(BaseModel):
    """The accepted request. It is written once, before the job is queued, and never changed.

    A worker renders candidates: images of consecutive indices, from `first` on. A job without a selection keeps all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: JobId
    model: CatalogEntry
    class_label: str | None
    """The requested class; None means several classes."""
    shares: tuple[int, ...] = Field(default=(), exclude_if=_is_default)
    """Proportions of the model's classes, without a common divisor; empty if all classes have equal shares."""
    n: int = Field(ge=1)
    """Number of images that the job keeps."""
    first: int = Field(default=0, ge=0)
    """Index of the first candidate."""
    seed: int = Field(ge=0)
    format: Format = "png"
    layout: Layout = 1
    """Jobs that were stored before this field existed have layout 1: the bytes of their archives must stay the same."""
    style: StyleSpec | None = None
    selection: Selection | None = Field(default=None, exclude_if=_is_default)
    """Rules by which the job keeps rendered images; None keeps all."""
    facts: ModelFacts | None = Field(default=None, exclude_if=_is_default)
    """Facts about the model at the time of the request, for the dataset's card."""
    cut: Cut
    name: JobName | Literal[""] = Field(default="", exclude_if=_is_default)
    """The user's label. Several jobs may have the same."""
    is_address: bool = Field(default=False, exclude_if=_is_default)
    """Whether the job renders the image of an address for GET /images. The lists of jobs leave it out."""
    owner: Owner = ""
    created: datetime
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1)
    """Hours that the images are kept after the end of the job."""
    request: Sha256 | None = None
    """Checksum of the request if it had an idempotency key."""

    @property
    def expected_candidates(self) -> int:
        """Expected number of candidates. A job without a selection has n of them."""
        return self.selection.expected_candidates(self.n) if self.selection else self.n

    @property
    def max_candidates(self) -> int:
        """Largest number of candidates. A job that has not kept n of them then fails."""
        return self.selection.max_candidates(self.n) if self.selection else self.n

    @property
    def shard_count(self) -> int:
        """Number of shards. A job with a selection may end earlier."""
        return self.cut.shard_of(self.max_candidates - 1) + 1

    @property
    def is_short(self) -> bool:
        """Whether the job waits in the queue of short jobs, which is served first: it has one shard and no style.

        Jobs with a style are never short, because each image takes seconds.
        """
        return self.cut.shard_of(self.expected_candidates - 1) == 0 and self.style is None

    @property
    def needs(self) -> str:
        """Name of the files that a worker needs to render the job: the model, VGG19 weights, the quality gate."""
        gate = self.selection.gate if self.selection else None
        return needs(self.model.sha256, self.style.weights if self.style else None, gate)

    @property
    def style_mode(self) -> str:
        """The mode of the job's style, or `none`. It is a label of metrics."""
        return self.style.mode if self.style else "none"

    def shard_indices(self, shard: int) -> range:
        """Return the indices of one shard's candidates. The last shard may be shorter."""
        start, stop = self.cut.start(shard), min(self.cut.start(shard + 1), self.max_candidates)
        return range(self.first + start, self.first + stop)

    def locate(self, index: int) -> tuple[int, int]:
        """Return the shard of a candidate and its position in the shard."""
        position = index - self.first
        shard = self.cut.shard_of(position)
        return shard, position - self.cut.start(shard)

    @property
    def class_shares(self) -> tuple[int, ...]:
        """Proportions of the model's classes; empty if the model is unconditional."""
        classes = self.model.classes
        if self.class_label is not None:
            return tuple(int(name == self.class_label) for name in classes)
        return self.shares or (1,) * len(classes)

    def labels(self, indices: Iterable[int]) -> list[int]:
        """Return the class labels of candidates; empty if the model is unconditional.

        A label is a function of the index and the shares, so that a longer job contains a shorter one.
        """
        shares = self.class_shares
        return classes_at(shares, indices) if shares else []

    def quotas(self) -> tuple[int, ...]:
        """Return how many images the job keeps of each class. An unconditional model counts as one class.

        A selection keeps the counts of a job that begins with a cycle. Other jobs keep the classes of their indices.
        """
        shares = self.class_shares
        if not shares:
            return (self.n,)
        if self.selection is not None:
            return class_counts(shares, self.n)
        before, whole = class_counts(shares, self.first), class_counts(shares, self.first + self.n)
        return tuple(late - early for early, late in zip(before, whole, strict=True))

    @property
    def numbers_classes(self) -> bool:
        """Whether the archive's metadata contains class numbers."""
        return self.layout > 1 and bool(self.model.classes)

    @property
    def hashes_images(self) -> bool:
        """Whether the archive's metadata contains the hash of each image."""
        return self.layout > 2

    def class_names(self, indices: Sequence[int]) -> Sequence[str | None]:
        """Return the class names of images; None for each image if the model is unconditional."""
        classes = self.model.classes
        return [classes[label] for label in self.labels(indices)] if classes else [None] * len(indices)

    def class_name(self, index: int) -> str | None:
        """Return the name of an image's class. For many images, `class_names` is faster."""
        return self.class_names((index,))[0]


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
    removed: datetime | None = Field(default=None, exclude_if=_is_default)
    """When the owner removed the images. It is added later; nothing else of a state ever changes."""

    @property
    def is_removed(self) -> bool:
        """Whether the images went before their time: the job was cancelled, or the owner removed them."""
        return self.outcome == "cancelled" or self.removed is not None

    def expires(self, spec: JobSpec) -> datetime:
        """Return when the images are removed. The spec stays, so that a rebuild can make the same images.

        An end before `created` comes from a worker whose clock is behind. Then the images are kept from `created` on.
        """
        if self.removed is not None:
            return self.removed
        # Old specs may have a longer time than today's limit, and datetime would overflow.
        kept = {"succeeded": min(spec.ttl_hours, MOST_TTL_HOURS), "failed": FAILED_TTL_HOURS, "cancelled": 0}
        return max(self.finished, spec.created) + timedelta(hours=kept[self.outcome])

    def has_expired(self, spec: JobSpec, now: datetime) -> bool:
        """Return whether the images may have been removed."""
        return self.removed is not None or self.expires(spec) <= now
