"""The expected size of a job's archive. All constants of the archive's format are in this module."""

import json
import math

from app.schemas.estimates import Range
from worker.contracts.costs import FileSizes
from worker.contracts.jobs import SUFFIXES, JobSpec
from worker.contracts.selection import BEST_SCORE

_ZIP_BYTES = 30 + 46
"""Bytes of a ZIP member beside its data and its name, which occurs twice: a local header and a directory entry."""
_END_BYTES = 22
"""Bytes of the end of a ZIP archive."""
_CARD_BYTES, _SELECTION_BYTES, _GATE_BYTES, _STYLE_BYTES = 1240, 500, 550, 170
"""Size of the dataset card without names, and of its parts about a selection, its quality gate and a style."""
_CARD_ERROR = 200
"""Error of the size of a card in bytes."""
_CLASS_BYTES = 40
"""Size of the parts of the card about one class, beside its name, which occurs three times."""
_TAR_BLOCK = 512
"""Bytes of the header of a file in a tar. Each file is padded to a multiple of this."""
_PARQUET_IMAGE_BYTES, _PARQUET_SCORE_BYTES = 115, 8
"""Bytes of an image's row in a Parquet file beside its file, and of its score."""
_PARQUET_SHARD_BYTES = 1100
"""Bytes of the schema and the indices of a Parquet file, and of its ZIP member."""
_ARRAY_BYTES = 128
"""Size of the header of a NumPy array."""
_Z = 1.96
"""Quantile of the normal distribution for intervals of 95 %."""
_FORMAT_ERROR = 0.02
"""Relative error of the constants of this module."""


def archive_size(spec: JobSpec, sizes: FileSizes) -> Range:
    """Return the size of an archive whose images have these sizes, in bytes."""
    labels: tuple[str | None, ...] = spec.model.classes or (None,)
    counts = list(zip(labels, spec.quotas(), sizes.mean_bytes, strict=True))
    files = sum(count * size for _, count, size in counts)
    rest = sum(count * _image_bytes(spec, label) for label, count, _ in counts) + _constant_bytes(spec)
    sampled = sizes.images * sum(count > 0 for _, count, _ in counts)
    spread = _Z * sizes.deviation * math.sqrt(1 / spec.n + 1 / max(1, sampled))
    half = files * spread + _FORMAT_ERROR * (files + rest) + _CARD_ERROR
    expected = files + rest
    return Range(expected=round(expected), low=max(0, round(expected - half)), high=round(expected + half))


def _image_bytes(spec: JobSpec, label: str | None) -> int:
    """Return the bytes of an image of a class in the archive beside those of its file."""
    index = spec.first + spec.expected_candidates // 2
    if spec.format != "npz" and spec.packing == "parquet":
        return _PARQUET_IMAGE_BYTES + _PARQUET_SCORE_BYTES * _has_scores(spec)
    if spec.format != "npz" and spec.packing == "webdataset":
        # A header and half a block for the image, the metadata, and the class.
        record = _TAR_BLOCK * math.ceil(_record_bytes(spec, label, "", index) / _TAR_BLOCK)
        return _TAR_BLOCK * 3 // 2 + _TAR_BLOCK + record + 2 * _TAR_BLOCK * (label is not None)
    name = f"images/{label + '/' if label else ''}{index:06d}.{SUFFIXES[spec.format]}"
    if spec.format == "npz":
        return 8 + _record_bytes(spec, label, "images_00000.npy", index)  # 8 bytes in the array of labels
    return _member_bytes(name) + _record_bytes(spec, label, name, index)


def _record_bytes(spec: JobSpec, label: str | None, name: str, index: int) -> int:
    """Return the length of an image's line of metadata.jsonl, which has the fields of this record."""
    record: dict[str, str | int] = {"file_name": name, "index": index, "seed": spec.seed}
    if label is not None:
        record |= {"label": label, "label_id": spec.model.classes.index(label)}
    if spec.style is not None:
        record["style"] = spec.style.id
    record |= {"model": spec.model.name, "sha256": 64 * "0", "dhash": 16 * "0"}
    if _has_scores(spec):
        record["score"] = 500
    return len(json.dumps(record, ensure_ascii=False).encode()) + 1


def _has_scores(spec: JobSpec) -> bool:
    return spec.selection is not None and spec.selection.gate is not None


def _constant_bytes(spec: JobSpec) -> int:
    """Return the bytes that do not grow with the number of images."""
    model = spec.model
    card = _CARD_BYTES + 3 * len(model.name) + len(model.data) + 2 * len(model.licence)
    card += _SELECTION_BYTES * (spec.selection is not None) + _STYLE_BYTES * (spec.style is not None)
    card += _GATE_BYTES * (spec.selection is not None and spec.selection.keep < BEST_SCORE)
    card += sum(_CLASS_BYTES + 3 * len(name.encode()) for name in model.classes)
    if spec.format != "npz" and spec.packing == "webdataset":
        return card + _TAR_BLOCK * 3 // 2 + 2 * _TAR_BLOCK  # the header and half a block for the card, and the end
    members = card + _member_bytes("metadata.jsonl") + _member_bytes("README.md") + _END_BYTES
    if spec.format != "npz":
        shards = spec.cut.shard_of(spec.expected_candidates - 1) + 1
        return members + _PARQUET_SHARD_BYTES * shards * (spec.packing == "parquet")
    arrays = spec.shard_count * (_member_bytes("images_00000.npy") + _ARRAY_BYTES)
    return members + arrays + _member_bytes("labels.npy") + _ARRAY_BYTES


def _member_bytes(name: str) -> int:
    return _ZIP_BYTES + 2 * len(name.encode())
