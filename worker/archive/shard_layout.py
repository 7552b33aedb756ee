"""The bytes of a shard in the archive: one ZIP member for each image, or one array of all images for npz."""

import io
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

from numpy.lib.format import write_array_header_1_0

from worker.archive import zip_format
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import SUFFIXES, JobSpec
from worker.contracts.store.archive_index import ArrayEntry, ImageTable
from worker.rendering.encoding import EncodedImage

_CACHED_NAMES = 1024
"""Number of classes whose folder names are remembered. Each image needs the name three times."""

ShardLayout = tuple[bytes, ImageTable, ArrayEntry | None]


def lay_out(spec: JobSpec, shard: int, images: Sequence[EncodedImage]) -> ShardLayout:
    """Return the bytes of a shard, the position of each image in them, and the array's entry (npz only)."""
    return _lay_out_array(spec, shard, images) if spec.format == "npz" else _lay_out_members(spec, images)


def image_names(spec: JobSpec, indices: Sequence[int]) -> list[str]:
    """Return the paths of images in the archive. Images of conditional models are in class folders."""
    suffix, labels = SUFFIXES[spec.format], spec.class_names(indices)
    folders = ["images" if label is None else f"images/{_folder_name(label)}" for label in labels]
    return [f"{folder}/{index:06d}.{suffix}" for index, folder in zip(indices, folders, strict=True)]


def array_name(shard: int) -> str:
    """Return the path of a shard's array in the archive. NumPy shows the name without its suffix."""
    return f"images_{shard:05d}.npy"


def zip_entries(spec: JobSpec, shards: Sequence[ChosenShard]) -> Iterator[zip_format.Entry]:
    """Yield the central directory's entries of all shards, in the order of the archive."""
    start = 0
    for shard in shards:
        yield from _array_entries(shard.index.array, start) if shard.index.array else _image_entries(spec, shard, start)
        start += sum(part.size for part in shard.parts())


def _array_entries(array: ArrayEntry, start: int) -> Iterator[zip_format.Entry]:
    # An index stores where data starts. The ZIP entry needs the start of the local header before it.
    header = zip_format.header_size(array.name)
    yield zip_format.Entry(array.name, start + array.offset - header, array.size, array.crc32)


def _image_entries(spec: JobSpec, shard: ChosenShard, start: int) -> Iterator[zip_format.Entry]:
    table = shard.index.images
    indices, rows = zip(*shard.images(), strict=True) if shard.count else ((), ())
    for name, row in zip(image_names(spec, indices), rows, strict=True):
        size = table.sizes[row]
        header = zip_format.header_size(name)
        yield zip_format.Entry(name, start, size, table.crc32s[row])
        start += header + size


def _lay_out_members(spec: JobSpec, images: Sequence[EncodedImage]) -> ShardLayout:
    pieces, offsets, position = list[bytes](), list[int](), 0
    names = image_names(spec, [image.index for image in images])
    for name, image in zip(names, images, strict=True):
        header = zip_format.local_header(name, len(image.data), image.crc32)
        position += len(header)
        offsets.append(position)
        position += len(image.data)
        pieces += header, image.data
    return b"".join(pieces), _image_table(images, offsets), None


def _lay_out_array(spec: JobSpec, shard: int, images: Sequence[EncodedImage]) -> ShardLayout:
    # A .npy file is a header that describes the array, followed by its raw values.
    side, name = spec.model.resolution, array_name(shard)
    header = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (len(images), side, side, 3)}
    write_array_header_1_0(header, description)
    member = header.getvalue() + b"".join(image.data for image in images)
    crc32 = zlib.crc32(member)
    data = zip_format.local_header(name, len(member), crc32) + member
    offset = len(data) - len(member)
    first_pixel = offset + len(header.getvalue())
    table = _image_table(images, [first_pixel + k * len(image.data) for k, image in enumerate(images)])
    return data, table, ArrayEntry(name=name, offset=offset, size=len(member), crc32=crc32)


def _image_table(images: Sequence[EncodedImage], offsets: Sequence[int]) -> ImageTable:
    return ImageTable(
        offsets=tuple(offsets),
        sizes=tuple(len(image.data) for image in images),
        crc32s=tuple(image.crc32 for image in images),
        sha256s=tuple(image.sha256 for image in images),
        hashes=tuple(image.hash for image in images if image.hash),
    )


@lru_cache(_CACHED_NAMES)
def _folder_name(label: str) -> str:
    # Percent-encode characters that file systems or shells treat specially, and a dot that would hide the folder.
    safe = re.sub(r"[^\w .-]", lambda match: f"%{ord(match[0]):02X}", label)
    return re.sub(r"^\.", "%2E", safe)
