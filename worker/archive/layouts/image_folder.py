"""The layout `imagefolder`: a ZIP with one file for each image, in class folders, and their metadata."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from worker.archive import zip_format
from worker.archive.layouts.layout import LaidOutSlice, ShardLayout, image_table
from worker.archive.layouts.metadata import image_records, to_json
from worker.archive.layouts.zip_members import build_zip_tail
from worker.contracts.choice import ChosenShard
from worker.contracts.formats import SUFFIXES
from worker.contracts.jobs import JobSpec
from worker.rendering.encoding import EncodedImage

COLUMNS = ("image", "index", "seed", "label", "label_id", "style", "model", "sha256", "dhash", "score")
"""The columns of the metadata, of which a dataset may lack some. `image` stands there as `file_name`."""
_CACHED_NAMES = 1024
"""Number of classes whose folder names are remembered. Each image needs the name three times."""


def lay_out(spec: JobSpec, shard: int, images: Sequence[EncodedImage], scores: Sequence[int] = ()) -> ShardLayout:  # noqa: ARG001
    """Return the bytes of a shard: each image with a local header."""
    pieces, offsets, position = list[bytes](), list[int](), 0
    names = image_names(spec, [image.index for image in images])
    for name, image in zip(names, images, strict=True):
        header = zip_format.local_header(name, len(image.data), image.crc32)
        position += len(header)
        offsets.append(position)
        position += len(image.data)
        pieces += header, image.data
    return ShardLayout(b"".join(pieces), image_table(images, offsets), None)


def build_tail(spec: JobSpec, slices: Sequence[LaidOutSlice], files: Mapping[str, bytes]) -> bytes:
    """Return the metadata, the files of the report and the central directory."""
    lines = (line for each in slices for shard in each.pieces for line in _metadata_lines(spec, shard))
    files = {"metadata.jsonl": "".join(lines).encode(), **files}
    return build_zip_tail(_entries(spec, slices), files, sum(each.size for each in slices))


def image_names(spec: JobSpec, indices: Sequence[int]) -> list[str]:
    """Return the paths of images in the archive. Images of conditional models are in class folders."""
    suffix, labels = SUFFIXES[spec.format], spec.class_names(indices)
    folders = ["images" if label is None else f"images/{_folder_name(label)}" for label in labels]
    return [f"{folder}/{index:06d}.{suffix}" for index, folder in zip(indices, folders, strict=True)]


def _metadata_lines(spec: JobSpec, shard: ChosenShard) -> Iterator[str]:
    names = image_names(spec, [index for index, _ in shard.images()])
    for name, record in zip(names, image_records(spec, shard), strict=True):
        yield to_json({"file_name": name, **record}) + "\n"


def _entries(spec: JobSpec, slices: Sequence[LaidOutSlice]) -> Iterator[zip_format.Entry]:
    start = 0
    for shard in (shard for each in slices for shard in each.pieces):
        table, images = shard.index.images, list(shard.images())
        names = image_names(spec, [index for index, _ in images])
        for name, (_, row) in zip(names, images, strict=True):
            yield zip_format.Entry(name, start, table.sizes[row], table.crc32s[row])
            start += zip_format.header_size(name) + table.sizes[row]


@lru_cache(_CACHED_NAMES)
def _folder_name(label: str) -> str:
    # Percent-encode characters that file systems or shells treat specially, and a dot that would hide the folder.
    safe = re.sub(r"[^\w .-]", lambda match: f"%{ord(match[0]):02X}", label)
    return re.sub(r"^\.", "%2E", safe)
