"""Where images come from: every image of a folder or a zip, with its class label where it has one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from training.dataset import arrays, boxes, class_folders, class_names, paths
from training.dataset.boxes import Boxes
from training.dataset.contents import Contents
from training.dataset.item import Item, refused
from training.dataset.label_table import LabelColumn, Table, label
from training.dataset.listing import Skipped
from training.dataset.rows import FILE_COLUMNS
from training.dataset.vocabulary import split_of
from training.errors import DatasetError

ClassesFrom = Literal["folders", "parent", "boxes", "none"]


@dataclass(frozen=True)
class Choice:
    """How a source is read, where that is not left to what it looks like."""

    labels: LabelColumn | None = None
    classes_from: ClassesFrom | None = None
    """`folders`: the first level of folders, whatever their names; `parent`: the folder of each image."""
    split: str | None = None
    """Take the images of the folders of this name only, e.g. train."""
    only_classes: str | None = None
    """Names of classes, parted by commas."""
    merge_classes: bool = False
    """Join classes that differ only by case, blanks, underscores or hyphens."""
    boxes: str | None = None
    """A folder of annotations or a table of bounding boxes, inside the source or on disk."""
    zip_names: str | None = None
    """How a zip encodes its names, e.g. cp932."""


@dataclass
class Found:
    """The images of a source, and what has to be said about them."""

    items: list[Item]
    skipped: Skipped
    notes: list[str] = field(default_factory=list)
    labelled_by: str = ""
    """Where the classes come from; empty where there are none."""


def items(path: Path, labels: LabelColumn | None = None) -> list[Item]:
    """List the images of a folder or a zip, in order of their names. Raises DatasetError."""
    return found(path, Choice(labels)).items


def found(path: Path, choice: Choice = Choice()) -> Found:
    """List the images of a folder or a zip, and label them.

    Files that cannot be used are listed, too: they refuse to be read. Raises DatasetError when the source is missing,
    holds no image, or does not fit what was chosen.
    """
    if choice.labels and choice.classes_from:
        raise DatasetError("classes come from a table (--label-column) or from --classes-from, not from both")
    if choice.classes_from == "boxes" and not choice.boxes:
        raise DatasetError("--classes-from boxes: say where the boxes are, with --boxes")
    if arrays.names(path):
        return _of_arrays(path, choice)
    contents = Contents(path, choice.zip_names)
    if choice.split:
        contents.choose_split(choice.split)
    result = _by_table(contents, choice.labels) if choice.labels else _by_folders(contents, choice.classes_from)
    if choice.boxes:
        result = _boxed(result, contents, choice)
    result.items += contents.refused
    result.notes = [*contents.notes, *result.notes, *([] if choice.labels else _tables(contents))]
    result.skipped = contents.skipped(item.name for item in result.items)
    return _of_classes(result, choice)


def _of_arrays(path: Path, choice: Choice) -> Found:
    """Read an npz, whose labels are its own. Raises DatasetError for choices that it has no use for."""
    if choice.labels or choice.split or choice.boxes or choice.classes_from not in {None, "none"}:
        raise DatasetError(f"{path}: an npz has its own labels; leave out options of tables, folders, splits and boxes")
    items = arrays.items(path)
    if choice.classes_from == "none":
        items = [replace(item, label=None) for item in items]
    is_labelled = any(item.label for item in items)
    return _of_classes(Found(items, Skipped(), labelled_by="by its own labels" if is_labelled else ""), choice)


def _tables(contents: Contents) -> list[str]:
    others = contents.other_tables()
    named = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    return (
        [f"{named} may hold labels: --labels FILE --label-column NAME takes the classes from there"] if others else []
    )


def _by_table(contents: Contents, column: LabelColumn) -> Found:
    tables = contents.tables(column.csv)
    if not tables:
        others = contents.other_tables()
        hint = f"; --labels may be {', '.join(others[:3])}" if others else ""
        raise DatasetError(f"{column.csv}: found neither in {contents.path} nor on disk{hint}")
    split = split_of((paths.stem(column.csv),))
    rows = [replace(row, split=split) for data, place in tables for row in Table(data, column, place).rows]
    names = list(contents.images)
    said = label(rows, names, contents.path.name)
    if len(said.lost) == len({row.name for row in rows}):
        firsts = f"its first is {said.lost[0] if said.lost else None!r}, that of {contents.path} is {names[0]!r}"
        named = column.file or FILE_COLUMNS[0]
        raise DatasetError(f"{column.csv}: column {named!r} names none of the images ({firsts})")
    made = [
        refused(name, said.refused[name]) if name in said.refused else Item(name, said.labels.get(name), file.read)
        for name, file in contents.images.items()
    ]
    if said.lost:
        made.append(refused(column.csv, _not_there(said.lost)))
    return Found(made, Skipped(), labelled_by=f"by column {column.label!r} of {column.csv}")


def _by_folders(contents: Contents, classes_from: ClassesFrom | None) -> Found:
    if classes_from in {"none", "boxes"}:
        return Found([Item(name, None, file.read) for name, file in contents.images.items()], Skipped())
    place = _layout(contents, classes_from)
    stray = set(place.stray) if place.labels else set()
    made = [
        refused(name, class_folders.LOOSE) if name in stray else Item(name, place.labels.get(name), file.read)
        for name, file in contents.images.items()
    ]
    return Found(made, Skipped(), list(_notes(place)), "by folders" if place.labels else "")


def _layout(contents: Contents, classes_from: ClassesFrom | None) -> class_folders.Layout:
    if classes_from == "folders":
        return class_folders.by_upper(contents.images)
    if classes_from == "parent":
        return class_folders.by_parent(contents.images)
    return class_folders.of_folders(contents.images, contents.downloads())


def _notes(place: class_folders.Layout) -> Iterable[str]:
    if place.merged:
        end = "; if they are the classes, say --classes-from folders" if not place.labels else ""
        yield f"{', '.join(place.merged)} are parts of one data set: merged (--split NAME takes one of them){end}"
    if place.within:
        yield f"folders within a class do not count, e.g. {place.within}"


def _boxed(result: Found, contents: Contents, choice: Choice) -> Found:
    """Make an item of every box. Images without one are set aside."""
    name, by_box = choice.boxes or "", choice.classes_from == "boxes"
    marked = _boxes(contents, name)
    made: list[Item] = []
    for item in result.items:
        own = [] if item.reason else marked.of_file.get(item.name, [])
        if not own:
            made.append(item if item.reason else refused(item.name, marked.refused.get(item.name, "no box")))
        for number, box in enumerate(own, start=1):
            numbered = f"{item.name} (box {number})" if len(own) > 1 else item.name
            made.append(replace(item, name=numbered, label=box.label if by_box else item.label, box=box))
    if marked.lost:
        made.append(refused(name, _not_there(marked.lost)))
    return replace(result, items=made, labelled_by="by the objects in boxes" if by_box else result.labelled_by)


def _boxes(contents: Contents, name: str) -> Boxes:
    names = list(contents.images)
    if annotated := contents.annotations(name):
        files, place = annotated
        if not files:
            raise DatasetError(f"--boxes {name}: no XML annotations in that folder")
        return boxes.of_xml(files, place, names)
    tables = contents.tables(name)
    if not tables:
        raise DatasetError(f"--boxes {name}: found neither in {contents.path} nor on disk")
    return boxes.of_table(tables[0][0], name, names)


def _not_there(lost: list[str]) -> str:
    return f"{len(lost)} files that it names are not there, the first is {lost[0]!r}"


def _of_classes(result: Found, choice: Choice) -> Found:
    """Merge classes that are alike, and keep the chosen ones."""
    counts = class_names.counted(item.label for item in result.items)
    if choice.merge_classes:
        renamed = class_names.merged(counts)
        result.items = [replace(item, label=renamed.get(item.label or "", item.label)) for item in result.items]
        counts = class_names.counted(item.label for item in result.items)
    for group in class_names.alike(counts):
        names = ", ".join(map(repr, group))
        result.notes.append(f"classes differ only by case or blanks: {names} (--merge-classes joins them)")
    if choice.only_classes is not None:
        wanted = class_names.chosen(choice.only_classes, counts)
        for item in result.items:
            if item.label and item.label not in wanted:
                result.skipped.add("images of other classes", item.name)
        result.items = [item for item in result.items if not item.label or item.label in wanted]
    return result
