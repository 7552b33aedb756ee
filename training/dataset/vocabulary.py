"""Meanings of the names of folders and tables: splits, containers, additional material."""

import re
from functools import lru_cache

_SPLIT = re.compile(
    r"(?:(?:seg|data|dataset|images?|imgs?)[_ -])?"
    r"(train(?:ing)?|trn|val(?:id(?:ation)?)?|dev|test(?:ing)?|tst|eval(?:uation)?|holdout|pred(?:iction)?s?)"
    r"(?:[_ -]?(?:set|data|images?|imgs?|split))?(?:[_ -]?\d+)?"
)
_SAME_SPLITS = {"trn": "tr", "tst": "te", "dev": "va", "eval": "va", "evaluation": "va"}
_CONTAINER = re.compile(r"(?:jpe?g|png)?(?:images?|imgs?|data(?:sets?)?|photos?|pictures?|pics?|samples)|jpe?gs?|pngs?")
_COPY = re.compile(r"(?:fold|part|batch|split|shard|chunk|set|archive|download|vol(?:ume)?|dis[ck]|cd)[_ -]*\(?\d+\)?")
_ASIDE = re.compile(r"docs?|documentation|previews?|thumb(?:nail)?s?|screenshots?|figures?|plots?|logs?|runs|assets")


@lru_cache(maxsize=4096)
def split_of(parts: tuple[str, ...]) -> str | None:
    """Return the split that a path names, e.g. train; None if it names none."""
    matches = (_SPLIT.fullmatch(part.lower()) for part in parts)
    names = [match[1] for match in matches if match]
    return _SAME_SPLITS.get(names[-1], names[-1][:2]) if names else None


def is_container(name: str) -> bool:
    """Return whether a folder is named after its content, like images, and not after a class."""
    return _CONTAINER.fullmatch(name.lower()) is not None


def is_copy(name: str) -> bool:
    """Return whether a folder's name is like one of several parts: fold_1, part-2."""
    return _COPY.fullmatch(name.lower()) is not None


def is_beside_data(name: str) -> bool:
    """Return whether a folder's name is like additional material: docs, previews, plots."""
    return _ASIDE.fullmatch(name.lower()) is not None
