"""The layout of the format npz: a ZIP with one NumPy array for each shard, the labels, and the metadata."""

import io
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.lib.format import write_array_header_1_0

from worker.archive.layouts.layout import LaidOutSlice, ShardLayout, image_table
from worker.archive.layouts.metadata import image_records, to_json
from worker.archive.layouts.zip_members import build_zip_tail, lay_out_member, member_entries
from worker.contracts.jobs import JobSpec
from worker.rendering.encoding import EncodedImage


def lay_out(spec: JobSpec, shard: int, images: Sequence[EncodedImage], scores: Sequence[int] = ()) -> ShardLayout:  # noqa: ARG001
    """Return the bytes of a shard: one array with all images."""
    # A .npy file is a header that describes the array, followed by its raw values.
    side, header = spec.model.resolution, io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (len(images), side, side, 3)}
    write_array_header_1_0(header, description)
    data, member = lay_out_member(_name(shard), header.getvalue() + b"".join(image.data for image in images))
    first_pixel = member.offset + len(header.getvalue())
    offsets = accumulate((len(image.data) for image in images), initial=first_pixel)
    return ShardLayout(data, image_table(images, list(offsets)[:-1]), member)


def build_tail(spec: JobSpec, slices: Sequence[LaidOutSlice], files: Mapping[str, bytes]) -> bytes:
    """Return the metadata, the files of the report, the labels and the central directory."""
    lines = [
        to_json({"file_name": _name(shard.piece.shard), **record}) + "\n"
        for each in slices
        for shard in each.pieces
        for record in image_records(spec, shard)
    ]
    files = {"metadata.jsonl": "".join(lines).encode(), **files, "labels.npy": _label_array(spec, slices)}
    return build_zip_tail(member_entries(slices), files, sum(each.size for each in slices))


def _name(shard: int) -> str:
    """Return the path of a shard's array in the archive. NumPy shows the name without its suffix."""
    return f"images_{shard:05d}.npy"


def _label_array(spec: JobSpec, slices: Sequence[LaidOutSlice]) -> bytes:
    # -1 stands for "no class", so that the array has one label for each image of every model.
    indices = [index for each in slices for shard in each.pieces for index, _ in shard.images()]
    labels = spec.labels(indices) or [-1] * len(indices)
    file = io.BytesIO()
    np.save(file, np.asarray(labels, dtype=np.int64))
    return file.getvalue()
