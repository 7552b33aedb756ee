"""Stored indices: the place of each image in a shard, and the objects that an archive consists of."""

from bisect import bisect_left
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.catalog import Sha256

ImageHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


def _is_default(value: object) -> bool:
    return not value  # older programs read the indices of jobs that do not use newer fields


class ImageTable(BaseModel):
    """Places and checksums of the images in a shard's data object: one column each, in the order of image indices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offsets: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    crc32s: tuple[int, ...] = ()
    sha256s: tuple[Sha256, ...] = ()
    hashes: tuple[ImageHash, ...] = Field(default=(), exclude_if=_is_default)
    """Hashes of the images' coarse structure (models/image_hash.py); empty in jobs of layout 1 and 2."""

    def start(self, row: int) -> int:
        """Return where the part of the data object with an image begins: after the image before."""
        return self.offsets[row - 1] + self.sizes[row - 1] if row else 0

    def end(self, row: int) -> int:
        """Return where the part of the data object with an image ends."""
        return self.offsets[row] + self.sizes[row]


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


class ArrayEntry(BaseModel):
    """Place of the array with all images of a shard (npz archives) in the shard's data object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    offset: int
    size: int
    crc32: int


class ShardIndex(BaseModel):
    """The commit of one shard. The first index that is written counts, and names the data object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    """Path of the data object: a slice of the final archive, with a local file header before each image."""
    size: int
    images: ImageTable
    array: ArrayEntry | None = None
    candidates: Candidates | None = Field(default=None, exclude_if=_is_default)
    """None if the job has no selection: the images are those of all candidates."""


class ArchivePart(BaseModel):
    """A range of bytes of one object that belongs to a finished archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    start: int = Field(default=0, exclude_if=_is_default)
    size: int


class ArchivePlan(BaseModel):
    """The ranges of objects whose concatenation is the ZIP file. The last one is the tail."""

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
