"""The stored request of a job, and its division into shards."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.around import Around
from worker.contracts.catalog import CatalogEntry, ModelFacts, Sha256, needs
from worker.contracts.class_cycle import class_counts, classes_at, images_until
from worker.contracts.cut import Cut
from worker.contracts.formats import ArchiveVersion, Format, Marking, Packing
from worker.contracts.owners import Owner
from worker.contracts.pieces import Ancestor, JobId, Piece, Span, find_piece, pieces, shard_indices
from worker.contracts.selection import Selection
from worker.contracts.splits import Split
from worker.contracts.styles import StyleSpec
from worker.contracts.walk import Walk

DEFAULT_TTL_HOURS = 7 * 24

JobName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""A label that a user gives to jobs. It is restricted because it is a part of paths in the store and of file names."""


def _is_default(value: object) -> bool:
    return not value  # older programs read the specs of jobs that do not use newer fields


def _is_default_word(value: Packing | Marking) -> bool:
    return value in ("imagefolder", "none")  # for the same reason


class JobSpec(BaseModel):
    """The accepted request. It is written once, before the job is queued, and never changed.

    A worker renders candidates: images of consecutive indices, from `first` on. A job without a selection keeps all.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

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
    packing: Packing = Field(default="imagefolder", exclude_if=_is_default_word)
    archive_version: ArchiveVersion = Field(default=1, validation_alias="layout", serialization_alias="layout")
    """Jobs that were stored before this field existed have version 1: their archives must keep their bytes."""
    marking: Marking = Field(default="none", exclude_if=_is_default_word)
    """Kind of the mark in each image file. Jobs that were stored before this field existed have none."""
    style: StyleSpec | None = None
    selection: Selection | None = Field(default=None, exclude_if=_is_default)
    """Rules by which the job keeps rendered images; None keeps all."""
    around: Around | None = Field(default=None, exclude_if=_is_default)
    """The point around which the images lie; None for images of the seed's own latents."""
    between: Walk | None = Field(default=None, exclude_if=_is_default)
    """The walk whose frames the images are. A job has at most one of `around` and `between`."""
    facts: ModelFacts | None = Field(default=None, exclude_if=_is_default)
    """Facts about the model at the time of the request, for the dataset's card."""
    cut: Cut
    split: Split | None = Field(default=None, exclude_if=_is_default)
    """The range of the index space that the request named. `first` lies in it."""
    name: JobName | Literal[""] = Field(default="", exclude_if=_is_default)
    """The user's label. Several jobs may have the same."""
    is_address: bool = Field(default=False, exclude_if=_is_default)
    """Whether the job renders the image of an address for GET /images. The lists of jobs leave it out."""
    ancestors: tuple[Ancestor, ...] = Field(default=(), exclude_if=_is_default)
    """Jobs that hold the beginning of the dataset, the oldest first. Their specifications differ in n only."""
    curates: JobId | None = Field(default=None, exclude_if=_is_default)
    """The job from whose dataset the user has thrown out images. Other images replace them in this one."""
    owner: Owner = ""
    created: datetime
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1)
    """Hours that the images are kept after the end of the job."""
    request: Sha256 | None = None
    """Checksum of the request if it had an idempotency key."""

    @property
    def own_first(self) -> int:
        """Index of the first candidate that this job renders itself: after those of its ancestors."""
        return self.ancestors[-1].stop if self.ancestors else self.first

    @property
    def inherited(self) -> int:
        """Number of images that ancestors hold."""
        return self.ancestors[-1].n if self.ancestors else 0

    @property
    def expected_candidates(self) -> int:
        """Expected number of candidates that this job renders. Without a selection, it has one for each new image."""
        expected = self.selection.expected_candidates(self._n_with_excluded) if self.selection else self.n
        return max(1, expected - self._inherited_candidates)

    @property
    def max_candidates(self) -> int:
        """Largest number of candidates of the dataset. A job that has not kept n of them then fails."""
        return self.selection.max_candidates(self._n_with_excluded) if self.selection else self.n

    @property
    def _n_with_excluded(self) -> int:
        """Number of images until each class has its own and the excluded ones, in the order of the classes."""
        if self.selection is None or not self.selection.excluded:
            return self.n
        shares, excluded = self.class_shares or (1,), Counter(self.labels(self.selection.excluded))
        if not self.class_shares:
            return self.n + len(self.selection.excluded)
        quotas = self.quotas()
        return max(self.n, images_until(shares, {label: quotas[label] + excluded[label] for label in excluded}))

    @property
    def _inherited_candidates(self) -> int:
        return self.own_first - self.first

    @property
    def first_shard(self) -> int:
        """Number of the first shard that this job renders. Shards are numbered in the whole dataset."""
        return self.cut.shard_of(self._inherited_candidates)

    @property
    def shard_count(self) -> int:
        """Number of shards of the dataset. A job with a selection may end earlier."""
        return self.cut.shard_of(self.max_candidates - 1) + 1

    @property
    def shards(self) -> range:
        """Numbers of the shards that this job renders. A job with a selection may end earlier."""
        return range(self.first_shard, self.shard_count)

    @property
    def is_short(self) -> bool:
        """Whether the job waits in the queue of short jobs, which is served first: it has one shard and no style.

        Jobs with a style are never short, because each image takes seconds.
        """
        last = self._inherited_candidates + self.expected_candidates - 1
        return self.cut.shard_of(last) == self.first_shard and self.style is None

    @property
    def is_divisible(self) -> bool:
        """Whether an archive may hold some images of a stored shard: each image is a range of bytes of its own."""
        return self.format != "npz" and self.packing != "parquet"

    @property
    def scores_images(self) -> bool:
        """Whether a quality gate scores the images."""
        return self.selection is not None and self.selection.gate is not None

    @property
    def needs(self) -> str:
        """Name of the files that a worker needs to render the job: the model, VGG19 weights, the quality gate."""
        gate = self.selection.gate if self.selection else None
        return needs(self.model.sha256, self.style.weights if self.style else None, gate)

    @property
    def placement(self) -> Around | Walk | None:
        """Where the images lie among the latents; None for images of the seed's own latents."""
        return self.between or self.around

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that images may have. Frames of a walk have none, because their classes are mixtures."""
        return () if self.between else self.model.classes

    @property
    def style_mode(self) -> str:
        """The mode of the job's style, or `none`. It is a label of metrics."""
        return self.style.mode if self.style else "none"

    @property
    def least_worker_version(self) -> int:
        """The oldest workers that can read the job, by the newest version of archives that they know.

        Older ones refuse a specification with a field that they do not know.
        """
        excludes = self.selection is not None and bool(self.selection.excluded)
        moves = self.placement is not None
        has_new_field = bool(self.name or self.split or self.ancestors or moves or self.curates or excludes)
        return max(self.archive_version, 4 if has_new_field else 1)

    def shard_indices(self, shard: int) -> range:
        """Return the indices of the candidates that this job renders in a shard. The last shard may be shorter."""
        return shard_indices(self.cut, self.first, self._spans[-1], shard)

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of the dataset in the order of their indices. A job with a selection may end earlier."""
        return pieces(self.cut, self.first, self._spans)

    def find_piece(self, index: int) -> Piece:
        """Return the piece of a candidate."""
        return find_piece(self.cut, self.first, self._spans, index)

    @property
    def _spans(self) -> list[Span]:
        """The jobs of the dataset, this one last, each with the range of its candidates."""
        starts = [self.first, *(ancestor.stop for ancestor in self.ancestors)]
        spans = [Span(each.job, start, each.stop) for start, each in zip(starts, self.ancestors, strict=False)]
        return [*spans, Span(self.id, starts[-1], self.first + self.max_candidates)]

    @property
    def class_shares(self) -> tuple[int, ...]:
        """Proportions of the model's classes; empty if the model is unconditional."""
        classes = self.classes
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

        A selection by rules keeps the counts of a job that begins with a cycle. Other jobs keep the classes of the
        first n indices.
        """
        shares = self.class_shares
        if not shares:
            return (self.n,)
        if self.selection is not None and self.selection.has_rules:
            return class_counts(shares, self.n)
        before, whole = class_counts(shares, self.first), class_counts(shares, self.first + self.n)
        return tuple(late - early for early, late in zip(before, whole, strict=True))

    @property
    def numbers_classes(self) -> bool:
        """Whether the archive's metadata contains class numbers."""
        return self.archive_version > 1 and bool(self.classes)

    @property
    def hashes_images(self) -> bool:
        """Whether the archive's metadata contains the hash of each image."""
        return self.archive_version > 2

    @property
    def has_report(self) -> bool:
        """Whether the archive contains a report: report.json and a grid of images."""
        return self.archive_version > 3

    def class_names(self, indices: Sequence[int]) -> Sequence[str | None]:
        """Return the class names of images; None for each image if the model is unconditional."""
        classes = self.classes
        return [classes[label] for label in self.labels(indices)] if classes else [None] * len(indices)

    def class_name(self, index: int) -> str | None:
        """Return the name of an image's class. For many images, `class_names` is faster."""
        return self.class_names((index,))[0]
