"""Stored indices: the place of each image in a shard, and the objects that an archive consists of."""

from pydantic import BaseModel, ConfigDict

from worker.contracts.catalog import Sha256


class ImageTable(BaseModel):
    """Places and checksums of the images in a shard's data object: one column each, in the order of image indices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offsets: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    crc32s: tuple[int, ...] = ()
    sha256s: tuple[Sha256, ...] = ()


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


class ArchivePart(BaseModel):
    """One object of a finished archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size: int


class ArchivePlan(BaseModel):
    """The objects whose concatenation is the ZIP file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[ArchivePart, ...]
    tail_crc32: int

    @property
    def size(self) -> int:
        """Length of the archive in bytes."""
        return sum(part.size for part in self.parts)
