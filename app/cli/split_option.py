"""The option --split of `imagemill generate`."""

import re
from collections.abc import Iterable
from typing import cast, get_args

from app.cli.refusal import refuse_usage
from app.client.options import Split

_SPLIT = re.compile(rf"({'|'.join(get_args(Split))})=([1-9][0-9]{{0,18}})", re.ASCII)


def parse_splits(texts: Iterable[str]) -> dict[Split, int]:
    """Parse texts like train=800 to the number of images of each split. Exits with status 2 if one is wrong."""
    splits = dict[Split, int]()
    for text in texts:
        match = _SPLIT.fullmatch(text)
        if match is None:
            refuse_usage(f"--split {text}: must be train=N, validation=N or test=N, with N images")
        split = cast(Split, match[1])
        if split in splits:
            refuse_usage(f"--split {split} is given twice; give it once")
        splits[split] = int(match[2])
    return splits
