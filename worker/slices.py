"""A shard's slice of the archive: its images as members of the ZIP, or all of them as one array."""

import io
import re
import zlib
from collections.abc import Sequence

from numpy.lib.format import write_array_header_1_0

from worker import archive
from worker.contracts.jobs import SUFFIXES, JobSpec
from worker.contracts.records import ArrayEntry, ImageEntry, ShardIndex
from worker.render import EncodedImage

Slice = tuple[bytes, tuple[ImageEntry, ...], ArrayEntry | None]


def layout(spec: JobSpec, shard: int, images: Sequence[EncodedImage]) -> Slice:
    """Lay a shard's images out: the bytes, where each image lies in them, and the array that they make up, if any."""
    return _array(spec, shard, images) if spec.format == "npz" else _members(spec, images)


def image_name(spec: JobSpec, index: int) -> str:
    """Make an image's path in the archive; class folders where there are classes."""
    label = spec.class_name(index)
    folder = "images" if label is None else f"images/{_folder(label)}"
    return f"{folder}/{index:06d}.{SUFFIXES[spec.format]}"


def array_name(shard: int) -> str:
    """Make the path of a shard's array in the archive; NumPy drops the suffix."""
    return f"images_{shard:05d}.npy"


def entries(shards: Sequence[ShardIndex]) -> list[archive.Entry]:
    """List the members of the archive that the shards' slices hold."""
    found, start = [], 0
    for shard in shards:
        for member in (shard.array,) if shard.array else shard.images:
            header = len(archive.local_header(member.name, member.size, member.crc32))
            found.append(archive.Entry(member.name, start + member.offset - header, member.size, member.crc32))
        start += shard.size
    return found


def _members(spec: JobSpec, images: Sequence[EncodedImage]) -> Slice:
    data, found = bytearray(), []
    for image in images:
        name = image_name(spec, image.index)
        data += archive.local_header(name, len(image.data), image.crc32)
        found.append(_entry(spec, image, name, len(data)))
        data += image.data
    return bytes(data), tuple(found), None


def _array(spec: JobSpec, shard: int, images: Sequence[EncodedImage]) -> Slice:
    side, name = spec.model.resolution, array_name(shard)
    header = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (len(images), side, side, 3)}
    write_array_header_1_0(header, description)
    member = header.getvalue() + b"".join(image.data for image in images)
    crc32 = zlib.crc32(member)
    data = archive.local_header(name, len(member), crc32) + member
    offset = len(data) - len(member)
    first = offset + len(header.getvalue())
    found = [_entry(spec, image, name, first + k * len(image.data)) for k, image in enumerate(images)]
    return data, tuple(found), ArrayEntry(name=name, offset=offset, size=len(member), crc32=crc32)


def _entry(spec: JobSpec, image: EncodedImage, name: str, offset: int) -> ImageEntry:
    return ImageEntry(
        index=image.index,
        name=name,
        label=spec.class_name(image.index),
        offset=offset,
        size=len(image.data),
        crc32=image.crc32,
        sha256=image.sha256,
    )


def _folder(label: str) -> str:
    safe = re.sub(r"[^\w .-]", lambda match: f"%{ord(match[0]):02X}", label)
    return re.sub(r"^\.", "%2E", safe)
