"""The layout `webdataset`: a tar with the class, the metadata and the image of each index, in ascending order."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from worker.archive.layouts import tar_format
from worker.archive.layouts.layout import LaidOutSlice, ShardLayout, image_table
from worker.archive.layouts.metadata import labels_of, to_json
from worker.contracts.formats import SUFFIXES
from worker.contracts.image_record import image_record
from worker.contracts.jobs import JobSpec
from worker.rendering.encoding import EncodedImage


def lay_out(spec: JobSpec, shard: int, images: Sequence[EncodedImage], scores: Sequence[int] = ()) -> ShardLayout:  # noqa: ARG001
    """Return the bytes of a shard: up to three files for each image."""
    pieces, offsets, position = list[bytes](), list[int](), 0
    labels, suffix = labels_of(spec, [image.index for image in images]), SUFFIXES[spec.format]
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        key = f"{image.index:09d}"
        score = scores[row] if scores else None
        record = image_record(spec, image.index, label, image.sha256, image.hash, score)
        record.pop("label_id", None)
        if label is not None:
            pieces.append(tar_format.member(f"{key}.cls", f"{label}".encode()))
            position += len(pieces[-1])
        pieces.append(tar_format.member(f"{key}.json", to_json(record).encode()))
        pieces.append(tar_format.header(f"{key}.{suffix}", len(image.data)))
        position += len(pieces[-2]) + len(pieces[-1])
        offsets.append(position)
        pieces += image.data, tar_format.padding(len(image.data))
        position += len(image.data) + len(pieces[-1])
    return ShardLayout(b"".join(pieces), image_table(images, offsets, tar_format.BLOCK), None)


def build_tail(spec: JobSpec, slices: Sequence[LaidOutSlice], files: Mapping[str, bytes]) -> bytes:  # noqa: ARG001
    """Return the files of the report and the end of the tar.

    Readers take a file for a part of a sample if its name has a dot. So these names have no suffix.
    """
    return b"".join(tar_format.member(PurePosixPath(name).stem, data) for name, data in files.items()) + tar_format.END
