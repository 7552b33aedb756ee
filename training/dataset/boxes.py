"""Bounding boxes of objects in images, from PASCAL VOC's XML files or from a table."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from training.dataset import source_paths
from training.dataset.class_names import class_name
from training.dataset.file_kinds import IMAGE_SUFFIXES
from training.dataset.framing import Box
from training.dataset.label_table import file_index
from training.dataset.listing import File
from training.dataset.row_matching import Row, matched
from training.dataset.rows import Sheet, cell, sheets
from training.errors import DatasetError

_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"), ("x1", "y1", "x2", "y2"))
_SIZES = (
    ("x", "y", "w", "h"),
    ("x", "y", "width", "height"),
    ("x_1", "y_1", "width", "height"),
    ("left", "top", "width", "height"),
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
)
_LABELS = ("label", "class", "name", "category")
_MAX_XML_BYTES = 1_000_000


@dataclass
class Boxes:
    """Boxes by image. An image may have several."""

    of_file: dict[str, list[Box]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    """Files with unusable boxes, and the reason."""
    unmatched: list[str] = field(default_factory=list)
    """Names without a file."""


def is_annotation(head: bytes) -> bool:
    """Return whether a file begins like a PASCAL VOC annotation."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<annotation") or (start.startswith(b"<?xml") and b"<annotation" in start)


def from_xml(files: Sequence[File], folder: str, images: Sequence[str]) -> Boxes:
    """Read annotations. An annotation belongs to the image with the same path below `folder`, without the suffix."""
    found = Boxes()
    read = {file.name: _read(file) for file in files}
    rows = [Row(_image_name(name.removeprefix(f"{folder}/"), read[name][0]), name) for name in read]
    matches = matched(rows, images)
    found.rejected, found.unmatched = dict(matches.ambiguous), matches.unmatched
    for image, match in matches.of_file.items():
        marked = [read[row.value][1] for row in match.rows]
        wrong = next((boxes for boxes in marked if isinstance(boxes, str)), None)
        if wrong is not None:
            found.rejected[image] = wrong
        else:
            found.of_file[image] = [box for boxes in marked if not isinstance(boxes, str) for box in boxes]
    return found


def from_table(data: bytes, name: str, images: Sequence[str], file_column: str | None = None) -> Boxes:
    """Read a table with one box per row. Raises DatasetError when it lacks columns."""
    texts = dict(enumerate(_table_rows(data, name, file_column)))
    matches = matched([Row(file, str(k)) for k, (file, _) in texts.items()], images)
    found = Boxes(rejected=dict(matches.ambiguous), unmatched=matches.unmatched)
    for image, match in matches.of_file.items():
        boxes = [texts[int(row.value)][1] for row in match.rows]
        wrong = next((box for box in boxes if isinstance(box, str)), None)
        if wrong is not None:
            found.rejected[image] = f"{name}: {wrong}"
        else:
            found.of_file[image] = [box for box in boxes if isinstance(box, Box)]
    return found


def _image_name(path: str, written: str) -> str:
    """Return the image path of an annotation. The name inside the file decides the suffix, because masks share the
    stem.
    """
    stem = path[:-4] if path.lower().endswith(".xml") else path
    is_same = source_paths.suffix(written) in IMAGE_SUFFIXES and source_paths.stem(written) == source_paths.name(stem)
    return f"{stem}{written[len(source_paths.stem(written)) :]}" if is_same else stem


def _read(file: File) -> tuple[str, list[Box] | str]:
    """Return the image name, and the boxes or the reason why there are none."""
    try:
        data = file.read()
        # Nested entities can expand to gigabytes.
        if len(data) > _MAX_XML_BYTES or b"<!ENTITY" in data:
            return "", f"{file.name}: the annotation is too large or defines XML entities"
        root = ElementTree.fromstring(data)  # noqa: S314  entities are refused above
        width = int(float(root.findtext("size/width") or 0))
        boxes = [_box(entry, width) for entry in root.iter("object")]
    except (ElementTree.ParseError, ValueError, TypeError, DatasetError, OSError) as error:
        return "", f"{file.name}: not an annotation of PASCAL VOC's kind ({error})"
    return (root.findtext("filename") or "").strip(), boxes or f"{file.name}: marks no object"


def _box(entry: ElementTree.Element, width: int) -> Box:
    left, top, right, bottom = (float(entry.findtext(f"bndbox/{name}") or "") for name in _CORNERS[0])
    return Box(left, top, right, bottom, class_name(entry.findtext("name") or "") or None, width)


def _table_rows(data: bytes, name: str, file_column: str | None) -> Iterator[tuple[str, Box | str]]:
    shown = []
    for sheet in sheets(data, name):
        shown.append(sheet.shown())
        file, columns = file_index(sheet, file_column, name), _columns(sheet)
        if file is not None and columns is not None:
            yield from _boxes(sheet, file, columns, name)
            return
    wanted = "a column that names the files, and x, y, w, h or xmin, ymin, xmax, ymax"
    raise DatasetError(f"{name}: needs {wanted}; it has {shown[0]}")


def _columns(sheet: Sheet) -> tuple[list[int], bool] | None:
    """Return the four columns, and whether the last two are sizes."""
    lower = [name.lower() for name in sheet.header]
    for names in (*_CORNERS, *_SIZES):
        if set(names) <= set(lower):
            return [lower.index(name) for name in names], names in _SIZES
    return None


def _boxes(sheet: Sheet, file: int, columns: tuple[list[int], bool], name: str) -> Iterator[tuple[str, Box | str]]:
    places, is_size = columns
    lower = [column.lower() for column in sheet.header]
    label = next((lower.index(column) for column in _LABELS if column in lower and lower.index(column) != file), None)
    for row in sheet.rows:
        texts = [cell(row[k], name) for k in places if k < len(row)]
        if file < len(row) and cell(row[file], name).strip():
            named = cell(row[label], name) if label is not None and label < len(row) else ""
            yield cell(row[file], name), _to_box(texts, is_size, class_name(named) or None)


def _to_box(texts: list[str], is_size: bool, label: str | None) -> Box | str:
    try:
        left, top, right, bottom = map(float, texts)
    except ValueError:
        return f"not a box: {', '.join(texts)}"
    return Box(left, top, left + right, top + bottom, label) if is_size else Box(left, top, right, bottom, label)
