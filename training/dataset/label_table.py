"""A table with the class label of each file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from training.dataset import source_paths
from training.dataset.class_names import class_name
from training.dataset.row_matching import Match, Row, matched
from training.dataset.rows import FILE_COLUMNS, Sheet, cell, sheets
from training.errors import DatasetError


@dataclass(frozen=True)
class LabelColumn:
    """A column of labels in a table. Another column names the files. Labels become the class names."""

    csv: str
    """Path of the table, inside the source or on disk."""
    label: str
    file: str | None = None
    """The column with file names; None for the first of the usual names."""


@dataclass
class Labelled:
    """Labels of files from a table."""

    labels: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    """Files that cannot be labelled, and the reason."""
    unmatched: list[str] = field(default_factory=list)
    """Names without a file."""


class Table:
    """The rows of one table, or of several tables with one name.

    Raises DatasetError when the bytes are not a table, or when a column is missing.
    """

    def __init__(self, data: bytes, column: LabelColumn, folder: str = "") -> None:
        place = source_paths.normalise(folder)
        self.rows = [Row(name, value, place) for name, value in _pairs(data, column)]

    def label(self, files: Sequence[str], source: str = "") -> Labelled:
        """Return the labels of files. A row without a label is ignored."""
        return label(self.rows, files, source)


def label(rows: list[Row], files: Sequence[str], source: str = "") -> Labelled:
    """Return the labels of files from rows. `source` is the name of the folder with the files."""
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
    """Return the index of a column, ignoring case if needed; None if missing. Raises DatasetError for two such
    columns.
    """
    same = [k for k, name in enumerate(sheet.header) if name == wanted]
    found = same or [k for k, name in enumerate(sheet.header) if name.casefold() == wanted.casefold()]
    if len(found) > 1:
        raise DatasetError(f"{table}: {len(found)} columns are named {wanted!r}; rename one")
    return found[0] if found else None


def file_index(sheet: Sheet, wanted: str | None, table: str) -> int | None:
    """Return the index of the column with file names."""
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
    # The last attempt splits at blanks, which misreads most tables.
    delimited = found[:-1] or found
    sheet = max(delimited, key=lambda sheet: len(sheet.header))
    has_file = file_index(sheet, column.file, column.csv) is not None
    missing, option = (
        (column.label, "--label-column") if has_file else (column.file or FILE_COLUMNS[0], "--file-column")
    )
    return f"no column {missing!r}; it has {sheet.shown()}. Say which one with {option}"
