"""What the store keeps of a job's images: where each of them lies, and of which objects the archive is made."""

from pydantic import BaseModel, ConfigDict

from worker.contracts.catalog import Sha256


class ImageTable(BaseModel):
    """Where the images of a shard lie inside its data object, and what they hash to: a column each, in index order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offsets: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    crc32s: tuple[int, ...] = ()
    sha256s: tuple[Sha256, ...] = ()


class ArrayEntry(BaseModel):
    """Where the array that holds all images of a shard lies inside its data object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    offset: int
    size: int
    crc32: int


class ShardIndex(BaseModel):
    """The commit of one shard: the first index written wins, and names the data object that counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    """Path of the data object: a slice of the final archive, each image as a local file header and its PNG."""
    size: int
    images: ImageTable
    array: ArrayEntry | None = None


class ArchivePart(BaseModel):
    """One object of a finished archive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size: int


class ArchivePlan(BaseModel):
    """The objects that, one after the other, are the ZIP file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[ArchivePart, ...]
    tail_crc32: int

    @property
    def size(self) -> int:
        """Length of the archive in bytes."""
        return sum(part.size for part in self.parts)
