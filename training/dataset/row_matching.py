"""Matches the file names in a table with files: by path, or by an unambiguous part of it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from training.dataset import source_paths
from training.dataset.file_kinds import IMAGE_SUFFIXES
from training.dataset.vocabulary import split_of

_EXACT = 1_000
"""Score of an identical path. Other scores count the folders that agree."""


@dataclass(frozen=True)
class Row:
    """A row of a table that names a file."""

    name: str
    value: str
    folder: str = ""
    """Folder of its table inside the source."""
    split: str | None = None
    """Split that the table's name mentions."""


@dataclass
class Match:
    """The rows that name one file."""

    score: float
    rows: list[Row] = field(default_factory=list)


@dataclass
class Matches:
    """The result of matching a table's rows."""

    of_file: dict[str, Match] = field(default_factory=dict)
    ambiguous: dict[str, str] = field(default_factory=dict)
    """Files that a row matches as well as others, and the reason."""
    unmatched: list[str] = field(default_factory=list)
    """Names without a file."""


def matched(rows: Iterable[Row], files: Sequence[str], source: str = "") -> Matches:
    """Match rows with files, best matches first. `source` is the name of the folder with the files."""
    index = Index(files, source)
    # Exact matches choose first, so that a vague row cannot take their file.
    fits = sorted(((row, *index.find(row)) for row in rows), key=lambda fit: -fit[1])
    found = Matches()
    for row, score, candidates in fits:
        free = [file for file in candidates if file not in found.of_file or found.of_file[file].score == score]
        if len(free) == 1:
            found.of_file.setdefault(free[0], Match(score)).rows.append(row)
        elif free:
            for file in free:
                shown = ", ".join(free[:3]) + (", ..." if len(free) > 3 else "")
                found.ambiguous[file] = f"the row {row.name!r} fits {len(free)} files: {shown}"
        else:
            found.unmatched.append(row.name)
    for file in found.of_file:
        found.ambiguous.pop(file, None)
    return found


class Index:
    """Files by the names that rows may use."""

    def __init__(self, files: Sequence[str], source: str = "") -> None:
        self._source = source
        self._paths = {source_paths.normalise(file): file for file in files}
        self._around = len(source_paths.common_folders(self._paths))
        self._folders = source_paths.ancestors(self._paths)

    def find(self, row: Row) -> tuple[float, list[str]]:
        """Return the score and the files of the best match of a row."""
        key = source_paths.normalise(row.name)
        # A table beside images is for these only; one in a folder of its own may be for all.
        below = f"{row.folder}/" if row.folder in self._folders else ""
        exact = self._paths.get(below + key)
        if exact is not None:
            return _EXACT, [exact]
        folders = source_paths.folders(key)
        for penalty, candidates in self._named(source_paths.name(key)):
            inside = [file for file in candidates if file.startswith(below)] if below else candidates
            scored = [(score, file) for file in inside if (score := self._agreement(row, folders, file)) is not None]
            if scored:
                best = max(score for score, _ in scored)
                return best - penalty, [self._paths[file] for score, file in scored if score == best]
        return -1, []

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        return _grouped(self._paths, source_paths.name)

    @cached_property
    def _by_stem(self) -> Mapping[str, list[str]]:
        return _grouped(self._paths, source_paths.stem)

    def _named(self, name: str) -> list[tuple[float, list[str]]]:
        """Return candidates with the same name; the same except for case; except for the suffix. Each has a penalty."""
        same = self._by_name.get(name.casefold(), [])
        exact = [key for key in same if source_paths.name(key) == name]
        stem = source_paths.stem(name) if source_paths.suffix(name) in IMAGE_SUFFIXES else name
        return [(0.0, exact), (0.25, same), (0.5, self._by_stem.get(stem.casefold(), []))]

    def _agreement(self, row: Row, folders: tuple[str, ...], file: str) -> float | None:
        """Count the folders that agree from the end; None if row and file contradict each other."""
        own = source_paths.folders(file)
        split, of_file = split_of(folders) or row.split, split_of(own) or split_of((self._source,))
        if split and of_file and split != of_file:
            return None
        agreed = _common_tail(folders, own)
        row_is_tail = agreed == len(folders)
        file_is_tail = agreed >= len(own) - self._around
        return agreed if row_is_tail or file_is_tail else None


def _grouped(keys: Iterable[str], part: Callable[[str], str]) -> Mapping[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        groups[part(key).casefold()].append(key)
    return dict(groups)


def _common_tail(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a.casefold() != b.casefold():
            break
        count += 1
    return count
