"""The common parts of all layouts: the bytes of a shard, the places of its images, and the end of an archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchivePart, ImageTable, MemberEntry
from worker.rendering.encoding import EncodedImage


class ShardLayout(NamedTuple):
    """The bytes of a shard."""

    data: bytes
    images: ImageTable
    """The place of each image in the bytes."""
    member: MemberEntry | None
    """The place of the archive's file with all images; None if each image is a file."""


@dataclass(frozen=True)
class LaidOutSlice:
    """A slice of an archive: the chosen images of a shard, and the ranges of objects that hold them."""

    pieces: tuple[ChosenShard, ...]
    parts: tuple[ArchivePart, ...]
    member: MemberEntry | None

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(part.size for part in self.parts)


class Layout(Protocol):
    """Packs images into an archive. All results depend on the arguments alone."""

    def lay_out(
        self, spec: JobSpec, shard: int, images: Sequence[EncodedImage], scores: Sequence[int] = ()
    ) -> ShardLayout:
        """Return the bytes of a shard. `scores` has one value for each image; it is empty without a quality gate."""

    def build_tail(self, spec: JobSpec, slices: Sequence[LaidOutSlice], files: Mapping[str, bytes]) -> bytes:
        """Return the bytes after the last slice. `files` has the contents of the report's files by name."""


def image_table(images: Sequence[EncodedImage], offsets: Sequence[int], alignment: int = 1) -> ImageTable:
    """Return the table of a shard's images, which begin at these offsets of its bytes."""
    return ImageTable(
        offsets=tuple(offsets),
        sizes=tuple(len(image.data) for image in images),
        crc32s=tuple(image.crc32 for image in images),
        sha256s=tuple(image.sha256 for image in images),
        hashes=tuple(image.hash for image in images if image.hash),
        alignment=alignment,
    )
