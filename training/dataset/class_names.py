"""Class names: how one is written, in which order they stand, and which ones may be the same."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from training.errors import DatasetError

_NUMBER = re.compile(r"(?:^-)?\d+(?:\.\d+)?")


def class_name(text: str) -> str:
    """Write a class name as one name is always written: trimmed, accents composed (Unicode NFC)."""
    return unicodedata.normalize("NFC", text.strip())


def ordered(names: Iterable[str]) -> list[str]:
    """Sort class names: by their numbers when they differ in numbers only, else as text."""
    found = sorted(set(names))
    if len({_NUMBER.sub("#", name) for name in found}) > 1:
        return found
    return sorted(found, key=lambda name: ([float(number) for number in _NUMBER.findall(name)], name))


def alike(names: Iterable[str]) -> list[list[str]]:
    """Group the class names that differ only by case, blanks, underscores or hyphens."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        groups[_plain(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def merged(counts: Mapping[str, int]) -> dict[str, str]:
    """Map every class name to the most frequent one of those that are alike."""
    renamed = {name: name for name in counts}
    for group in alike(counts):
        common = max(group, key=lambda name: (counts[name], name))
        renamed |= dict.fromkeys(group, common)
    return renamed


def chosen(text: str, names: Iterable[str]) -> set[str]:
    """Read a list of class names, parted by commas. Raises DatasetError for one that is not there."""
    known = set(names)
    if class_name(text) in known:
        return {class_name(text)}
    wanted = {class_name(part) for part in text.split(",") if part.strip()}
    if missing := sorted(wanted - known):
        there = ", ".join(ordered(known)[:20]) or "none"
        raise DatasetError(f"--only-classes: no class {missing[0]!r}; there are {there}")
    return wanted


def counted(labels: Iterable[str | None]) -> Counter[str]:
    """Count the labels that are there."""
    return Counter(label for label in labels if label)


def _plain(name: str) -> str:
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", name.casefold()).strip(" _")
