"""Class names: their spelling, their order, and names that may mean the same class."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from training.errors import DatasetError

_NUMBER = re.compile(r"(?:^-)?\d+(?:\.\d+)?")


def class_name(text: str) -> str:
    """Return a class name in its canonical spelling: trimmed, in Unicode NFC."""
    return unicodedata.normalize("NFC", text.strip())


def ordered(names: Iterable[str]) -> list[str]:
    """Sort class names: by number if only their numbers differ, otherwise as text."""
    found = sorted(set(names))
    # Names such as 2 and 10 sort by number only if the text around the numbers is the same.
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
    """Map every class name to the most frequent of its alike names."""
    renamed = {name: name for name in counts}
    for group in alike(counts):
        common = max(group, key=lambda name: (counts[name], name))
        renamed |= dict.fromkeys(group, common)
    return renamed


def chosen(text: str, names: Iterable[str]) -> set[str]:
    """Parse a comma-separated list of class names. Raises DatasetError for an unknown name."""
    known = set(names)
    # A class name may itself contain a comma.
    if class_name(text) in known:
        return {class_name(text)}
    wanted = {class_name(part) for part in text.split(",") if part.strip()}
    if missing := sorted(wanted - known):
        there = ", ".join(ordered(known)[:20]) or "none"
        raise DatasetError(f"--only-classes: no class {missing[0]!r}; there are {there}")
    return wanted


def counted(labels: Iterable[str | None]) -> Counter[str]:
    """Count the labels that are not empty."""
    return Counter(label for label in labels if label)


def _plain(name: str) -> str:
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", name.casefold()).strip(" _")
