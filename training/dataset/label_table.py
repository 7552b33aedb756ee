"""A table of labels: which class each file is of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from training.dataset import paths
from training.dataset.class_names import class_name
from training.dataset.row_matching import Match, Row, matched
from training.dataset.rows import FILE_COLUMNS, Sheet, cell, sheets
from training.errors import DatasetError


@dataclass(frozen=True)
class LabelColumn:
    """A column of a table that labels files named by another column. Its values become the class names."""

    csv: str
    """Path of the table, inside the source or on disk."""
    label: str
    file: str | None = None
    """The column that names the files; without one, the first of the usual names."""


@dataclass
class Labelled:
    """What a table says about files."""

    labels: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    """Files that cannot be labelled, each with the reason."""
    unmatched: list[str] = field(default_factory=list)
    """Names that fit no file."""


class Table:
    """The rows of one table or of several of one name.

    Raises DatasetError when the bytes are no table, or it lacks a column.
    """

    def __init__(self, data: bytes, column: LabelColumn, folder: str = "") -> None:
        place = paths.normalise(folder)
        self.rows = [Row(name, value, place) for name, value in _pairs(data, column)]

    def label(self, files: Sequence[str], source: str = "") -> Labelled:
        """Find the labels of files. A row without a label labels nothing."""
        return label(self.rows, files, source)


def label(rows: list[Row], files: Sequence[str], source: str = "") -> Labelled:
    """Find the labels of files among rows. `source` is the name of the folder that holds them."""
    found = matched(rows, files, source)
    result = Labelled(rejected=dict(found.ambiguous), unmatched=list(dict.fromkeys(found.unmatched)))
    for file, match in found.of_file.items():
        labels = _labels(match)
        if len(labels) > 1:
            result.rejected[file] = f"several labels: {', '.join(map(repr, labels))}"
        elif labels[0]:
            result.labels[file] = labels[0]
    return result


def index_of(sheet: Sheet, wanted: str, table: str) -> int | None:
    """Find a column by name, or but for case; None when it is not there. Raises DatasetError when there are two."""
    same = [k for k, name in enumerate(sheet.header) if name == wanted]
    found = same or [k for k, name in enumerate(sheet.header) if name.casefold() == wanted.casefold()]
    if len(found) > 1:
        raise DatasetError(f"{table}: {len(found)} columns are named {wanted!r}; rename one")
    return found[0] if found else None


def file_index(sheet: Sheet, wanted: str | None, table: str) -> int | None:
    """Find the column that names the files."""
    names = (wanted,) if wanted else FILE_COLUMNS
    found = (index_of(sheet, name, table) for name in names)
    return next((k for k in found if k is not None), 0 if sheet.first_is_file else None)


def _labels(match: Match) -> list[str]:
    return sorted({class_name(row.value) for row in match.rows})


def _pairs(data: bytes, column: LabelColumn) -> Iterator[tuple[str, str]]:
    found = []
    for sheet in sheets(data, column.csv):
        found.append(sheet)
        file, label = file_index(sheet, column.file, column.csv), index_of(sheet, column.label, column.csv)
        if file is not None and label is not None:
            for row in sheet.rows:
                name = cell(row[file], column.csv).strip() if file < len(row) else ""
                if name:
                    yield name, cell(row[label], column.csv) if label < len(row) else ""
            return
    raise DatasetError(f"{column.csv}: {_missing(found, column)}")


def _missing(found: list[Sheet], column: LabelColumn) -> str:
    delimited = found[:-1] or found
    sheet = max(delimited, key=lambda sheet: len(sheet.header))
    has_file = file_index(sheet, column.file, column.csv) is not None
    missing, option = (
        (column.label, "--label-column") if has_file else (column.file or FILE_COLUMNS[0], "--file-column")
    )
    return f"no column {missing!r}; it has {sheet.shown()}. Say which one with {option}"
