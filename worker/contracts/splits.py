"""Splits of a dataset: ranges of the index space that no two splits share."""

from typing import Literal

Split = Literal["train", "validation", "test"]

_RANGES: dict[Split, range] = {
    "train": range(1 << 51),
    "validation": range(1 << 51, 1 << 52),
    "test": range(1 << 52, (1 << 52) + (1 << 51)),
}
"""Indices of each split. All are below 2^53, which JSON parsers of all languages read exactly."""

MAX_SPLIT_START = 1 << 50
"""Largest `start` in a split. As many indices lie behind it, so no job leaves its split."""


def split_indices(split: Split | None) -> range:
    """Return the indices of a split. Without a split, a dataset may have all of them: those of `train` come first."""
    return range(1 << 53) if split is None else _RANGES[split]
