"""The expected size of a job's archive. All constants of the archive's layouts are in this module."""

import json
import math

from app.estimates.report_size import report_bytes
from app.schemas.estimates import Range
from worker.contracts.costs import FileSizes
from worker.contracts.formats import SUFFIXES
from worker.contracts.image_record import image_record
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_marker import ImageMarker

_ZIP_BYTES = 30 + 46
"""Bytes of a ZIP member beside its data and its name, which occurs twice: a local header and a directory entry."""
_END_BYTES = 22
"""Bytes of the end of a ZIP archive."""
_TEXT_ERROR = 300
"""Error of the size of a card and a report in bytes."""
_TAR_BLOCK = 512
"""Bytes of the header of a file in a tar. Each file is padded to a multiple of this."""
_PARQUET_IMAGE_BYTES, _PARQUET_SCORE_BYTES = 115, 8
"""Bytes of an image's row in a Parquet file beside its file, and of its score."""
_PARQUET_SHARD_BYTES = 1100
"""Bytes of the schema and the indices of a Parquet file, and of its ZIP member."""
_ARRAY_BYTES = 128
"""Size of the header of a NumPy array."""
_ANY_FILE = bytes(64)
"""Stands for an image file, because a mark is as long in every file."""
_Z = 1.96
"""Quantile of the normal distribution for intervals of 95 %."""
_FORMAT_ERROR = 0.02
"""Relative error of the constants of this module."""


def mark_bytes(spec: JobSpec) -> int:
    """Return the size of the mark in each image file."""
    index, label = spec.first + spec.expected_candidates // 2, 0 if spec.classes else None
    return len(ImageMarker(spec).mark(_ANY_FILE, index, label)) - len(_ANY_FILE)


def archive_size(spec: JobSpec, sizes: FileSizes, png_sizes: FileSizes) -> Range:
    """Return the size of an archive whose images have these sizes without their marks, in bytes.

    `png_sizes` are those of the images as PNG, because the archive has a picture of some of them.
    """
    labels: tuple[str | None, ...] = spec.classes or (None,)
    counts = list(zip(labels, spec.quotas(), sizes.mean_bytes, strict=True))
    files = sum(count * size for _, count, size in counts)
    rest = spec.n * mark_bytes(spec) + report_bytes(spec, png_sizes) + _constant_bytes(spec)
    rest += sum(count * _image_bytes(spec, label) for label, count, _ in counts)
    sampled = sizes.images * sum(count > 0 for _, count, _ in counts)
    spread = _Z * sizes.deviation * math.sqrt(1 / spec.n + 1 / max(1, sampled))
    half = files * spread + _FORMAT_ERROR * (files + rest) + _TEXT_ERROR
    expected = files + rest
    return Range(expected=round(expected), low=max(0, round(expected - half)), high=round(expected + half))


def _image_bytes(spec: JobSpec, label: str | None) -> int:
    """Return the bytes of an image of a class in the archive beside those of its file."""
    index = spec.first + spec.expected_candidates // 2
    if spec.format != "npz" and spec.packing == "parquet":
        return _PARQUET_IMAGE_BYTES + _PARQUET_SCORE_BYTES * spec.scores_images
    if spec.format != "npz" and spec.packing == "webdataset":
        # A header and half a block for the image, the metadata, and the class.
        record = _TAR_BLOCK * math.ceil(_record_bytes(spec, label, "", index) / _TAR_BLOCK)
        return _TAR_BLOCK * 3 // 2 + _TAR_BLOCK + record + 2 * _TAR_BLOCK * (label is not None)
    name = f"images/{label + '/' if label else ''}{index:06d}.{SUFFIXES[spec.format]}"
    if spec.format == "npz":
        return 8 + _record_bytes(spec, label, "images_00000.npy", index)  # 8 bytes in the array of labels
    return _member_bytes(name) + _record_bytes(spec, label, name, index)


def _record_bytes(spec: JobSpec, label: str | None, name: str, index: int) -> int:
    """Return the length of an image's line of metadata.jsonl."""
    number, score = None if label is None else spec.classes.index(label), 500 if spec.scores_images else None
    record = image_record(spec, index, number, sha256=64 * "0", dhash=16 * "0", score=score)
    return len(json.dumps({"file_name": name, **record}, ensure_ascii=False).encode()) + 1


def _constant_bytes(spec: JobSpec) -> int:
    """Return the bytes of the layout that do not grow with each image."""
    names = ("metadata.jsonl", "README.md", *(("report.json", "grid.png") if spec.has_report else ()))
    if spec.format != "npz" and spec.packing == "webdataset":
        return (len(names) * 3 // 2 + 2) * _TAR_BLOCK
    members = sum(map(_member_bytes, names)) + _END_BYTES
    if spec.format != "npz":
        shards = spec.cut.shard_of(spec.expected_candidates - 1) + 1
        return members + _PARQUET_SHARD_BYTES * shards * (spec.packing == "parquet")
    arrays = spec.shard_count * (_member_bytes("images_00000.npy") + _ARRAY_BYTES)
    return members + arrays + _member_bytes("labels.npy") + _ARRAY_BYTES


def _member_bytes(name: str) -> int:
    return _ZIP_BYTES + 2 * len(name.encode())
