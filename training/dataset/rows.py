"""Reads the rows of a table: CSV and similar formats, JSON, JSON lines, CelebA's text files."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.errors import DatasetError

FILE_COLUMNS = (
    "file",
    "file_name",
    "filename",
    "image",
    "image_id",
    "image_name",
    "path",
    "image_path",
    "file_path",
    "id",
)
"""Usual names of the column with file names, tried in this order."""

_DELIMITERS = ",;\t|"
_SHOWN_CHARACTERS = 200
_BINARY = {
    b"PK\x03\x04": "an Excel workbook or a zip; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save it as CSV",
    b"PAR1": "a Parquet file; convert it to CSV",
    b"SQLite": "a database; export it as CSV",
}
_BOMS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Sheet:
    """A header and the rows below it."""

    header: list[str]
    rows: Iterable[Sequence[Any]]
    first_is_file: bool = False
    """Whether the first column has no name and holds the files, as in CelebA's attributes."""

    def shown(self) -> str:
        """Return the column names, shortened if there are many."""
        text = ", ".join(name for name in self.header if name) or "none"
        if len(text) <= _SHOWN_CHARACTERS:
            return text
        return f"{len(self.header)} columns: {text[:_SHOWN_CHARACTERS]}..."


def sheets(data: bytes, name: str) -> Iterator[Sheet]:
    """Parse a table in every possible way, the most likely first. Raises DatasetError."""
    text = _decoded(data, name)
    if text.lstrip()[:1] in {"{", "["}:
        yield _of_records(_records(text, name))
        return
    lines = text.lstrip("\r\n")
    lines, delimiters = _declared(lines)
    # The caller takes the first sheet with the columns that it needs.
    yield from (_delimited(lines, delimiter, name) for delimiter in delimiters)
    yield _spaced(lines)


def cell(value: Any, name: str) -> str:  # noqa: ANN401
    """Return a table's value as text. Raises DatasetError for a list or an object."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and len(value) == 1:
        return cell(value[0], name)
    if isinstance(value, list | dict):
        raise DatasetError(f"{name}: one value was expected, got {str(value)[:80]}")
    return str(value)


def _decoded(data: bytes, name: str) -> str:
    if kind := next((kind for magic, kind in _BINARY.items() if data.startswith(magic)), None):
        raise DatasetError(f"{name}: {kind}")
    encoding = next((encoding for bom, encoding in _BOMS.items() if data.startswith(bom)), None)
    if encoding is None and b"\0" in data[:200]:  # UTF-16 without a mark: every other byte of Latin letters is 0
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    try:
        return data.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{name}: not {(encoding or 'utf-8').upper()} ({error}); save it as UTF-8") from error


def _declared(text: str) -> tuple[str, str]:
    """Strip Excel's first line that declares the delimiter."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip("\r\n")) == 5:
        return rest, first[4]
    return text, _DELIMITERS


def _delimited(text: str, delimiter: str, name: str) -> Sheet:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    return Sheet([column.strip() for column in _next(lines, name)], _checked(lines, name))


def _next(lines: Iterator[list[str]], name: str) -> list[str]:
    return next(_checked(lines, name), [])


def _checked(lines: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    try:
        yield from lines
    except csv.Error as error:
        raise DatasetError(f"{name}: not a CSV table ({error})") from error


def _spaced(text: str) -> Sheet:
    """Parse columns separated by blanks. CelebA's files begin with the number of rows, which is skipped."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if lines and len(lines[0]) == 1 and lines[0][0].isdigit():
        lines = lines[1:]
    header, rows = (lines[0] if lines else []), lines[1:]
    if rows and len(rows[0]) == len(header) + 1:
        return Sheet(["", *header], rows, first_is_file=True)
    return Sheet(header, rows)


def _records(text: str, name: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError:
        return [_object(line, name) for line in text.splitlines() if line.strip()]
    if isinstance(found, dict) and {"images", "annotations"} <= set(found):
        raise DatasetError(f"{name}: COCO annotations are not supported; convert them to a CSV table")
    if isinstance(found, dict) and "labels" in found:
        if not isinstance(found["labels"], list | dict):
            raise DatasetError(f"{name}: holds no labels")
        found = found["labels"]
    if isinstance(found, dict) and not set(found).isdisjoint(FILE_COLUMNS):
        found = [found]
    if isinstance(found, dict):
        found = [{"file": file, **v} if isinstance(v, dict) else [file, v] for file, v in found.items()]
    return [_record(entry, name) for entry in found]


def _object(line: str, name: str) -> dict[str, Any]:
    try:
        return _record(json.loads(line), name)
    except ValueError as error:
        raise DatasetError(f"{name}: neither JSON nor JSON lines ({error})") from error


def _record(entry: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    if isinstance(entry, list) and len(entry) == 2:
        return {"file": entry[0], "label": entry[1]}
    if not isinstance(entry, dict):
        raise DatasetError(f"{name}: an object for each image was expected, got {str(entry)[:80]}")
    return entry


def _of_records(records: list[dict[str, Any]]) -> Sheet:
    header = list(dict.fromkeys(key for record in records for key in record))
    return Sheet(header, [[record.get(key) for key in header] for record in records])
