"""Finds the images of a folder or a zip, and their class labels."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from training.dataset import arrays, boxes, class_folders, class_names, source_paths
from training.dataset.boxes import Boxes
from training.dataset.contents import Contents
from training.dataset.item import Item, rejected_item
from training.dataset.label_table import LabelColumn, Table, label
from training.dataset.listing import Skipped
from training.dataset.rows import FILE_COLUMNS
from training.dataset.vocabulary import split_of
from training.errors import DatasetError

ClassesFrom = Literal["folders", "parent", "boxes", "none"]


@dataclass(frozen=True)
class SourceOptions:
    """Options for reading a source. Without them, its layout decides."""

    labels: LabelColumn | None = None
    classes_from: ClassesFrom | None = None
    """`folders`: the topmost differing folders, whatever their names; `parent`: the folder of each image."""
    split: str | None = None
    """Use only the images in folders with this name, e.g. train."""
    only_classes: str | None = None
    """Names of classes, separated by commas."""
    merge_classes: bool = False
    """Merge classes that differ only by case, blanks, underscores or hyphens."""
    boxes: str | None = None
    """A folder of annotations or a table of bounding boxes, inside the source or on disk."""
    zip_names: str | None = None
    """Encoding of the names in a zip, e.g. cp932."""


@dataclass
class SourceImages:
    """The images of a source, with notes for the user."""

    items: list[Item]
    skipped: Skipped
    notes: list[str] = field(default_factory=list)
    labelled_by: str = ""
    """Origin of the classes; empty if there are none."""


def items(path: Path, labels: LabelColumn | None = None) -> list[Item]:
    """Return the images of a folder or a zip, sorted by name. Raises DatasetError."""
    return find_images(path, SourceOptions(labels)).items


def find_images(path: Path, options: SourceOptions = SourceOptions()) -> SourceImages:
    """Return the images of a folder or a zip with their labels.

    The result also lists unusable files, whose `read` raises the reason. Raises DatasetError when the source is
    missing, has no image, or does not fit the options.
    """
    if options.labels and options.classes_from:
        raise DatasetError("classes come from a table (--label-column) or from --classes-from, not from both")
    if options.classes_from == "boxes" and not options.boxes:
        raise DatasetError("--classes-from boxes: say where the boxes are, with --boxes")
    if arrays.array_names(path):
        return _from_arrays(path, options)
    contents = Contents(path, options.zip_names)
    if options.split:
        contents.choose_split(options.split)
    result = (
        _label_by_table(contents, options.labels)
        if options.labels
        else _label_by_folders(contents, options.classes_from)
    )
    if options.boxes:
        result = _crop_to_boxes(result, contents, options)
    # Listed last, so that they appear as set aside with their reason.
    result.items += contents.rejected
    result.notes = [*contents.notes, *result.notes, *([] if options.labels else _table_notes(contents))]
    result.skipped = contents.skipped(item.name for item in result.items)
    return _select_classes(result, options)


def _from_arrays(path: Path, options: SourceOptions) -> SourceImages:
    """Read an npz, which has its own labels. Raises DatasetError for options that do not apply."""
    if options.labels or options.split or options.boxes or options.classes_from not in {None, "none"}:
        raise DatasetError(f"{path}: an npz has its own labels; leave out options of tables, folders, splits and boxes")
    items = arrays.items(path)
    if options.classes_from == "none":
        items = [replace(item, label=None) for item in items]
    is_labelled = any(item.label for item in items)
    return _select_classes(
        SourceImages(items, Skipped(), labelled_by="by its own labels" if is_labelled else ""), options
    )


def _table_notes(contents: Contents) -> list[str]:
    others = contents.other_tables()
    named = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    return (
        [f"{named} may hold labels: --labels FILE --label-column NAME takes the classes from there"] if others else []
    )


def _label_by_table(contents: Contents, column: LabelColumn) -> SourceImages:
    tables = contents.tables(column.csv)
    if not tables:
        others = contents.other_tables()
        hint = f"; --labels may be {', '.join(others[:3])}" if others else ""
        raise DatasetError(f"{column.csv}: found neither in {contents.path} nor on disk{hint}")
    split = split_of((source_paths.stem(column.csv),))
    rows = [replace(row, split=split) for data, place in tables for row in Table(data, column, place).rows]
    names = list(contents.images)
    labelled = label(rows, names, contents.path.name)
    if len(labelled.unmatched) == len({row.name for row in rows}):
        firsts = (
            f"its first is {labelled.unmatched[0] if labelled.unmatched else None!r}, "
            f"that of {contents.path} is {names[0]!r}"
        )
        named = column.file or FILE_COLUMNS[0]
        raise DatasetError(f"{column.csv}: column {named!r} names none of the images ({firsts})")
    made = [
        rejected_item(name, labelled.rejected[name])
        if name in labelled.rejected
        else Item(name, labelled.labels.get(name), file.read)
        for name, file in contents.images.items()
    ]
    if labelled.unmatched:
        made.append(rejected_item(column.csv, _not_there(labelled.unmatched)))
    return SourceImages(made, Skipped(), labelled_by=f"by column {column.label!r} of {column.csv}")


def _label_by_folders(contents: Contents, classes_from: ClassesFrom | None) -> SourceImages:
    if classes_from in {"none", "boxes"}:
        return SourceImages([Item(name, None, file.read) for name, file in contents.images.items()], Skipped())
    layout = _layout(contents, classes_from)
    stray = set(layout.stray) if layout.labels else set()
    made = [
        rejected_item(name, class_folders.LOOSE) if name in stray else Item(name, layout.labels.get(name), file.read)
        for name, file in contents.images.items()
    ]
    return SourceImages(made, Skipped(), list(_layout_notes(layout)), "by folders" if layout.labels else "")


def _layout(contents: Contents, classes_from: ClassesFrom | None) -> class_folders.Layout:
    if classes_from == "folders":
        return class_folders.by_upper(contents.images)
    if classes_from == "parent":
        return class_folders.by_parent(contents.images)
    return class_folders.find_classes(contents.images, contents.downloads())


def _layout_notes(layout: class_folders.Layout) -> Iterable[str]:
    if layout.merged:
        end = "; if they are the classes, use --classes-from folders" if not layout.labels else ""
        yield f"{', '.join(layout.merged)} are parts of one data set: merged (--split NAME takes one of them){end}"
    if layout.within:
        yield f"folders within a class do not count, e.g. {layout.within}"


def _crop_to_boxes(result: SourceImages, contents: Contents, options: SourceOptions) -> SourceImages:
    """Make one item per box. Images without a box are set aside."""
    name, by_box = options.boxes or "", options.classes_from == "boxes"
    marked = _read_boxes(contents, name)
    made: list[Item] = []
    for item in result.items:
        own = [] if item.reason else marked.of_file.get(item.name, [])
        if not own:
            made.append(item if item.reason else rejected_item(item.name, marked.rejected.get(item.name, "no box")))
        for number, box in enumerate(own, start=1):
            numbered = f"{item.name} (box {number})" if len(own) > 1 else item.name
            made.append(replace(item, name=numbered, label=box.label if by_box else item.label, box=box))
    if marked.unmatched:
        made.append(rejected_item(name, _not_there(marked.unmatched)))
    return replace(result, items=made, labelled_by="by the objects in boxes" if by_box else result.labelled_by)


def _read_boxes(contents: Contents, name: str) -> Boxes:
    names = list(contents.images)
    if annotated := contents.annotations(name):
        files, place = annotated
        if not files:
            raise DatasetError(f"--boxes {name}: no XML annotations in that folder")
        return boxes.from_xml(files, place, names)
    tables = contents.tables(name)
    if not tables:
        raise DatasetError(f"--boxes {name}: found neither in {contents.path} nor on disk")
    return boxes.from_table(tables[0][0], name, names)


def _not_there(unmatched: list[str]) -> str:
    return f"{len(unmatched)} files that it names do not exist, the first is {unmatched[0]!r}"


def _select_classes(result: SourceImages, options: SourceOptions) -> SourceImages:
    """Merge classes that are alike, and keep the selected ones."""
    counts = class_names.counted(item.label for item in result.items)
    if options.merge_classes:
        renamed = class_names.merged(counts)
        result.items = [replace(item, label=renamed.get(item.label or "", item.label)) for item in result.items]
        counts = class_names.counted(item.label for item in result.items)
    for group in class_names.alike(counts):
        names = ", ".join(map(repr, group))
        result.notes.append(f"classes differ only by case or blanks: {names} (--merge-classes joins them)")
    if options.only_classes is not None:
        wanted = class_names.chosen(options.only_classes, counts)
        for item in result.items:
            if item.label and item.label not in wanted:
                result.skipped.add("images of other classes", item.name)
        result.items = [item for item in result.items if not item.label or item.label in wanted]
    return result
