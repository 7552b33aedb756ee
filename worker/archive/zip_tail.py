"""The end of a job's archive: metadata, report and central directory."""

import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from worker.archive import shard_layout, zip_format
from worker.archive.image_grid import ReadRange
from worker.archive.report_files import report_files
from worker.archive.shard_layout import image_names
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec


def build_tail(spec: JobSpec, shards: Sequence[ChosenShard], read: ReadRange) -> bytes:
    """Return the tail of an archive: all bytes after the shards' data.

    It depends only on the specification and the shards. `read` reads a range of a data object: path, start, length.
    """
    images_end = sum(part.size for shard in shards for part in shard.parts())
    files = {"metadata.jsonl": _metadata_lines(spec, shards), **report_files(spec, shards, read)}
    if spec.format == "npz":
        files["labels.npy"] = _label_array(spec, shards)
    members = {name: zip_format.stored_member(name, data) for name, data in files.items()}
    zip_entries = [*shard_layout.zip_entries(spec, shards), *_member_entries(files, members, images_end)]
    start = images_end + sum(map(len, members.values()))
    return b"".join(members.values()) + zip_format.central_directory(zip_entries, start)


def _metadata_lines(spec: JobSpec, shards: Iterable[ChosenShard]) -> bytes:
    # One encoder for all lines: json.dumps with options would build one for each image.
    to_json = json.JSONEncoder(ensure_ascii=False).encode
    lines = (to_json(record) for shard in shards for record in _metadata_records(spec, shard))
    return "".join(f"{line}\n" for line in lines).encode()


def _metadata_records(spec: JobSpec, shard: ChosenShard) -> Iterator[dict[str, str | int]]:
    indices = [index for index, _ in shard.images()]
    is_array = spec.format == "npz"
    names = [shard_layout.array_name(shard.piece.shard)] * len(indices) if is_array else image_names(spec, indices)
    labels: Sequence[int | None] = spec.labels(indices) or [None] * len(indices)
    table, candidates = shard.index.images, shard.index.candidates
    for (index, row), name, label in zip(shard.images(), names, labels, strict=True):
        record: dict[str, str | int] = {"file_name": name, "index": index, "seed": spec.seed}
        if label is not None:
            record["label"] = spec.model.classes[label]
        if label is not None and spec.numbers_classes:
            record["label_id"] = label
        if spec.style is not None:
            record["style"] = spec.style.id
        record |= {"model": spec.model.name, "sha256": table.sha256s[row]}
        if spec.hashes_images:
            record["dhash"] = table.hashes[row]
        if candidates is not None and candidates.scores:
            record["score"] = candidates.scores[candidates.stored[row]]
        yield record


def _label_array(spec: JobSpec, shards: Iterable[ChosenShard]) -> bytes:
    # -1 stands for "no class", so that the array has one label for each image of every model.
    indices = [index for shard in shards for index, _ in shard.images()]
    labels = spec.labels(indices) or [-1] * len(indices)
    file = io.BytesIO()
    np.save(file, np.asarray(labels, dtype=np.int64))
    return file.getvalue()


def _member_entries(files: dict[str, bytes], members: dict[str, bytes], start: int) -> Iterator[zip_format.Entry]:
    for name, data in files.items():
        yield zip_format.Entry(name, start, len(data), zlib.crc32(data))
        start += len(members[name])
