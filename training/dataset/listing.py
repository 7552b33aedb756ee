"""The files and folders of a source, and the skipped ones."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_THUMBNAILS = frozenset(
    {"@eadir", ".thumbnails", ".@__thumb", ".thumb", "thumbs.db", "ehthumbs.db", ".picasaoriginals"}
)
_SYSTEM = frozenset({"__macosx", "#recycle", "@recycle", "$recycle.bin", "system volume information", "desktop.ini"})


@dataclass(frozen=True)
class File:
    """One file of a source."""

    name: str
    """Path inside the source, with forward slashes."""
    read: Callable[[], bytes]
    """Raises DatasetError or OSError when the file cannot be used."""
    head: Callable[[int], bytes]
    """Read the first bytes only. Raises the same errors as `read`."""


class Skipped:
    """Counts skipped files by reason, with an example of each."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, reason: str, example: str) -> None:
        """Count one skipped name."""
        self._counts[reason] += 1
        self._examples.setdefault(reason, example)

    def lines(self) -> list[str]:
        """Return one line per reason with its count."""
        return [
            f"{reason}: {count} ({self._first(count)}{self._examples[reason]})"
            for reason, count in self._counts.items()
        ]

    @staticmethod
    def _first(count: int) -> str:
        return "the first is " if count > 1 else ""


@dataclass
class Listing:
    """All files of a folder or a zip."""

    files: list[File] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    """Unusable names, and the reason."""
    skipped: Skipped = field(default_factory=Skipped)
    notes: list[str] = field(default_factory=list)
    """Assumptions about the source."""


def ignore_reason(name: str) -> str | None:
    """Return why a path is never data, such as files of the operating system; None for other paths."""
    parts = name.lower().split("/")
    if not _THUMBNAILS.isdisjoint(parts):
        return "thumbnails of a file server"
    if not _SYSTEM.isdisjoint(parts):
        return "files of an operating system"
    return "hidden files" if any(part.startswith(".") for part in parts) else None
