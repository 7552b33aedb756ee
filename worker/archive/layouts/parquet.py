"""The layout `parquet`: a ZIP with one Parquet file for each shard, in the form of Hugging Face datasets.

Only jobs of this layout load pyarrow, which takes 0.25 s. A file names the version of pyarrow, and another version may
choose other encodings. So the same bytes need the same pyarrow, as they need the same PyTorch.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from worker.archive.layouts.columns import column_types
from worker.archive.layouts.layout import LaidOutSlice, ShardLayout, image_table
from worker.archive.layouts.zip_members import build_zip_tail, lay_out_member, member_entries
from worker.contracts.formats import SUFFIXES
from worker.contracts.jobs import JobSpec
from worker.errors import WorkerError
from worker.rendering.encoding import EncodedImage

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 1000
"""Images in a row group, which a reader reads at once."""
_LENGTH_BYTES = 4
"""Parquet stores the length of each value before it, with the least significant byte first."""
_PREFIX_BYTES = 64
"""Bytes of an image that are searched. Then the others are compared."""
_FEW_VALUES = ["label", "seed", "style"]
"""Columns that store each value once."""
_SEARCHED = ["index", "label", "score"]
"""Columns that readers filter. Their smallest and largest values are stored."""


def lay_out(spec: JobSpec, shard: int, images: Sequence[EncodedImage], scores: Sequence[int] = ()) -> ShardLayout:
    """Return the bytes of a shard: one Parquet file."""
    data, member = lay_out_member(f"data/{shard:05d}.parquet", _parquet_file(_table(spec, images, scores)))
    return ShardLayout(data, image_table(images, _find_images(data, images, member.offset)), member)


def build_tail(spec: JobSpec, slices: Sequence[LaidOutSlice], files: Mapping[str, bytes]) -> bytes:  # noqa: ARG001
    """Return the files of the report and the central directory."""
    return build_zip_tail(member_entries(slices), files, sum(each.size for each in slices))


def _table(spec: JobSpec, images: Sequence[EncodedImage], scores: Sequence[int]) -> "pa.Table":
    import pyarrow as pa

    suffix, count = SUFFIXES[spec.format], len(images)
    indices = [image.index for image in images]
    paths = pa.array([f"{index:06d}.{suffix}" for index in indices], pa.string())
    columns = {
        "image": pa.StructArray.from_arrays(
            [pa.array([image.data for image in images], pa.binary()), paths], ["bytes", "path"]
        ),
        "label": pa.array(spec.labels(indices), pa.int64()),
        "index": pa.array(indices, pa.int64()),
        "seed": pa.array([spec.seed] * count, pa.int64()),
        "sha256": pa.array([image.sha256 for image in images], pa.string()),
        "dhash": pa.array([image.hash for image in images], pa.string()),
        "point": pa.array(_points(spec, indices), pa.string()),
        "score": pa.array(scores, pa.int64()),
        "style": pa.array([spec.style.id if spec.style else ""] * count, pa.string()),
    }
    types = column_types(spec, columns)
    schema = json.dumps({"info": {"features": types}}, ensure_ascii=False)
    return pa.table({name: columns[name] for name in types}).replace_schema_metadata({"huggingface": schema})


def _points(spec: JobSpec, indices: Sequence[int]) -> list[str]:
    placement, names = spec.placement, spec.class_names(indices)
    if placement is None:
        return [""] * len(indices)
    return [placement.point(spec.seed, *each).query for each in zip(indices, names, strict=True)]


def _parquet_file(table: "pa.Table") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pa.BufferOutputStream()
    # Without compression and dictionary, each image is a range of bytes of the file.
    pq.write_table(
        table,
        file,
        row_group_size=_GROUP_ROWS,
        compression="none",
        use_dictionary=[name for name in _FEW_VALUES if name in table.column_names],
        write_statistics=[name for name in _SEARCHED if name in table.column_names],
    )
    return bytes(file.getvalue())


def _find_images(data: bytes, images: Sequence[EncodedImage], position: int) -> list[int]:
    """Return where the images begin. The writer stores them in order, each whole.

    The bytes at each result are those of the image: all of them are compared. Raises WorkerError if one is missing.
    """
    offsets = list[int]()
    for image in images:
        size = len(image.data)
        prefix = size.to_bytes(_LENGTH_BYTES, "little") + image.data[:_PREFIX_BYTES]
        while (found := data.find(prefix, position)) >= 0:
            position = found + _LENGTH_BYTES
            if data.startswith(image.data, position):
                break
        else:
            raise WorkerError(f"image {image.index} is not a range of bytes of its Parquet file")
        offsets.append(position)
        position += size
    return offsets
