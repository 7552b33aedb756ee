"""Stored indices: the place of each image in a shard, and the objects that an archive consists of."""

from bisect import bisect_left
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.catalog import Sha256

ImageHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


def _is_default(value: object) -> bool:
    return not value  # older programs read the indices of jobs that do not use newer fields


def _is_one(value: int) -> bool:
    return value == 1  # for the same reason


def _is_none(value: object) -> bool:
    return value is None


class ImageTable(BaseModel):
    """Places and checksums of the images in a shard's data object: one column each, in the order of image indices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offsets: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    crc32s: tuple[int, ...] = ()
    sha256s: tuple[Sha256, ...] = ()
    hashes: tuple[ImageHash, ...] = Field(default=(), exclude_if=_is_default)
    """Hashes of the images' coarse structure (models/image_hash.py); empty in jobs of layout 1 and 2."""
    alignment: int = Field(default=1, exclude_if=_is_one)
    """The part of the data object with an image ends at a multiple of this: zeros follow the image."""

    def start(self, row: int) -> int:
        """Return where the part of the data object with an image begins: after the image before."""
        return self.end(row - 1) if row else 0

    def end(self, row: int) -> int:
        """Return where the part of the data object with an image ends."""
        end = self.offsets[row] + self.sizes[row]
        return end + -end % self.alignment


class Candidates(BaseModel):
    """The candidates of a shard of a job with a selection. Positions count from the shard's first candidate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    """Number of candidates that were rendered. A shard ends early when the job has all its images."""
    stored: tuple[int, ...]
    """Positions of the candidates whose images are in the data object: no rule of the worker rejected them."""
    scores: tuple[int, ...] = ()
    """Score of each candidate; empty without a quality gate."""
    copies: tuple[int, ...] = ()
    """Positions of the candidates that passed the gate and were rejected as copies of training images."""

    def row_of(self, position: int) -> int | None:
        """Return the row of a candidate in the image table; None if its image is not stored."""
        row = bisect_left(self.stored, position)
        return row if row < len(self.stored) and self.stored[row] == position else None


class MemberEntry(BaseModel):
    """Place of the archive's file with all images of a shard in the shard's data object (npz, and layout parquet)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    offset: int
    size: int
    crc32: int


class ShardIndex(BaseModel):
    """The commit of one shard. The first index that is written counts, and names the data object."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    data: str
    """Path of the data object: a slice of the final archive, as the layout of the job packs images."""
    size: int
    images: ImageTable
    member: MemberEntry | None = Field(default=None, validation_alias="array", serialization_alias="array")
    """None if each image is a file of the archive."""
    candidates: Candidates | None = Field(default=None, exclude_if=_is_default)
    """None if the job has no selection: the images are those of all candidates."""


class ArchivePart(BaseModel):
    """A range of bytes of one object that belongs to a finished archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    start: int = Field(default=0, exclude_if=_is_default)
    size: int
    crc32: int | None = Field(default=None, exclude_if=_is_none)
    """Checksum of a whole object that no shard's index describes: images that were laid out again."""


class ArchivePlan(BaseModel):
    """The ranges of objects whose concatenation is the archive. The last one is the tail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[ArchivePart, ...]
    tail_crc32: int

    @property
    def size(self) -> int:
        """Length of the archive in bytes."""
        return sum(part.size for part in self.parts)


class ArchiveDigest(BaseModel):
    """The checksum of a finished archive."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    size: int
    """Length of the archive in bytes."""
    sha256: Sha256
