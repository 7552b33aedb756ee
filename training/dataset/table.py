"""A CSV table of labels: which class each file is of."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from training.errors import DatasetError

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class LabelColumn:
    """A column of a CSV table that labels files named by another column. Its values become the class names."""

    csv: str
    """Path of the table, inside the source or on disk."""
    label: str
    file: str = "file"


class Table:
    """The labels of files, found by path inside the source or by bare name.

    Raises DatasetError when the bytes are no CSV table in UTF-8, or it lacks a column.
    """

    def __init__(self, data: bytes, column: LabelColumn) -> None:
        self._labels: dict[str, set[str]] = {}
        try:
            for file, label in _rows(data.decode("utf-8-sig"), column):
                self._labels.setdefault(_key(file), set()).add(class_name(label))
        except UnicodeDecodeError as error:
            raise DatasetError(f"{column.csv}: not UTF-8 ({error})") from error
        except csv.Error as error:
            raise DatasetError(f"{column.csv}: not a CSV table ({error})") from error
        self._asked: set[str] = set()

    def label_of(self, file: str) -> str | None:
        """Look up a file. Raises DatasetError when the rows that name it do not agree."""
        key = _key(file) if _key(file) in self._labels else PurePosixPath(_key(file)).name
        labels = sorted(self._labels.get(key, set()))
        self._asked.add(key)
        if len(labels) > 1:
            raise DatasetError(f"several labels: {', '.join(map(repr, labels))}")
        return labels[0] or None if labels else None

    def never_asked(self) -> list[str]:
        """List the files that the table names and that nobody has looked up."""
        return [file for file in self._labels if file not in self._asked]

    def __len__(self) -> int:
        return len(self._labels)


def class_name(text: str) -> str:
    """Write a class name as one name is always written: trimmed, accents composed (Unicode NFC)."""
    return unicodedata.normalize("NFC", text.strip())


def _rows(text: str, column: LabelColumn) -> Iterator[tuple[str, str]]:
    tables = [csv.reader(io.StringIO(text, newline=""), delimiter=d, skipinitialspace=True) for d in _DELIMITERS]
    headers = [[name.strip() for name in next(table, [])] for table in tables]
    for table, header in zip(tables, headers, strict=True):
        if {column.file, column.label} <= set(header):
            whole = (dict(zip(header, row, strict=False)) for row in table)
            yield from ((row[column.file], row.get(column.label, "")) for row in whole if row.get(column.file))
            return
    header = max(headers, key=len)
    missing = column.label if column.file in header else column.file
    raise DatasetError(f"{column.csv}: no column {missing!r}; it has {', '.join(header) or 'none'}")


def _key(file: str) -> str:
    return unicodedata.normalize("NFC", str(PurePosixPath(file.strip().replace("\\", "/"))))
