"""The types of the columns of a dataset, in the terms of Hugging Face datasets."""

from collections.abc import Iterable
from typing import Any

from worker.contracts.jobs import JobSpec

ColumnType = dict[str, Any]
"""A type as `datasets.Features.to_dict` has it."""

_IMAGE: ColumnType = {"_type": "Image"}
_NUMBER: ColumnType = {"dtype": "int64", "_type": "Value"}
_TEXT: ColumnType = {"dtype": "string", "_type": "Value"}
_TYPES = {"image": _IMAGE, "index": _NUMBER, "seed": _NUMBER, "label_id": _NUMBER, "score": _NUMBER}


def column_types(spec: JobSpec, names: Iterable[str]) -> dict[str, ColumnType]:
    """Return the types of those columns that the images of a job have."""
    label: ColumnType = {"names": list(spec.classes), "_type": "ClassLabel"}
    types = {**_TYPES, "label": label}
    return {name: types.get(name, _TEXT) for name in names if name not in _missing(spec)}


def _missing(spec: JobSpec) -> set[str]:
    missing = set[str]()
    if not spec.classes:
        missing |= {"label", "label_id"}
    if spec.style is None:
        missing.add("style")
    if spec.placement is None:
        missing.add("point")
    if not spec.scores_images:
        missing.add("score")
    return missing
