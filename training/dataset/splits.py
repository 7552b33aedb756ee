"""The parts of a data set that folders and tables are named after: train, validation, test."""

import re
from functools import lru_cache

_SPLIT = re.compile(
    r"(?:(?:seg|data|dataset|images?|imgs?)[_ -])?"
    r"(train(?:ing)?|trn|val(?:id(?:ation)?)?|dev|test(?:ing)?|tst|eval(?:uation)?|holdout|pred(?:iction)?s?)"
    r"(?:[_ -]?(?:set|data|images?|imgs?|split))?(?:[_ -]?\d+)?"
)
_SAME_SPLITS = {"trn": "tr", "tst": "te", "dev": "va", "eval": "va", "evaluation": "va"}


@lru_cache(maxsize=4096)
def split_of(parts: tuple[str, ...]) -> str | None:
    """Find the part of a data set that a path names, e.g. train; None where it names none."""
    matches = (_SPLIT.fullmatch(part.lower()) for part in parts)
    names = [match[1] for match in matches if match]
    return _SAME_SPLITS.get(names[-1], names[-1][:2]) if names else None
