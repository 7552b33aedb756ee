"""Describes a future dataset before the work starts."""

import io
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from training.dataset import source_paths
from training.dataset.class_names import counted, ordered
from training.dataset.framing import Framing
from training.dataset.image_source import SourceImages
from training.dataset.item import Item
from training.dataset.square_image import FORMATS
from training.dataset.summary import printable
from training.errors import DatasetError

_CLASSES, _FOLDERS, _REASONS, _CHARACTERS = 20, 3, 12, 160
"""Largest numbers of classes, folders and reasons in the description, and of characters of a reason."""
_SAMPLE = 24
"""Number of images whose sizes are read in advance."""


def lines(found: SourceImages, source: Path, framing: Framing) -> list[str]:
    """Return the number and source of images per class, and the reasons for skipped files, without control
    characters.
    """
    usable = [item for item in found.items if item.reason is None]
    labelled = [item for item in usable if item.label] if found.labelled_by else usable
    sentences = [
        _head(labelled, found, source),
        *(_classes(labelled) if found.labelled_by else _places("  from ", labelled)),
        *_set_aside([*found.items, *([_unlabelled(i) for i in usable if not i.label] if found.labelled_by else [])]),
        *(f"left out: {line}" for line in found.skipped.lines()),
        *(f"note: {line}" for line in found.notes),
        *_cut(labelled, framing),
    ]
    return [printable(line) for line in sentences]


def _head(usable: list[Item], found: SourceImages, source: Path) -> str:
    counts = counted(item.label for item in usable)
    classes = f"{len(counts)} classes {found.labelled_by}" if found.labelled_by else "no classes"
    return f"plan: {len(usable)} images of {source}, {classes}"


def _classes(items: list[Item]) -> list[str]:
    counts = counted(item.label for item in items)
    names = ordered(counts)
    sentences = [_class(name, [item for item in items if item.label == name]) for name in names[:_CLASSES]]
    if len(names) > _CLASSES:
        rest = [counts[name] for name in names[_CLASSES:]]
        sentences.append(f"  ... and {len(rest)} more classes, with {min(rest)} to {max(rest)} images")
    return sentences


def _class(name: str, items: list[Item]) -> str:
    (line,) = _places(f"  {len(items)} {name}: ", items)
    return line


def _places(start: str, items: list[Item]) -> list[str]:
    counts = Counter(source_paths.parent(item.name) for item in items).most_common()
    shown = [f"{folder}/ ({count})" if len(counts) > 1 else f"{folder}/" for folder, count in counts[:_FOLDERS]]
    more = [f"{len(counts) - _FOLDERS} more folders"] * (len(counts) > _FOLDERS)
    return [start + ", ".join((*shown, *more))] if items else []


def _unlabelled(item: Item) -> Item:
    return Item(item.name, None, item.read, "no label")


def _set_aside(items: Iterable[Item]) -> list[str]:
    firsts: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for item in items:
        if item.reason is not None:
            kind = _kind(item.reason)
            counts[kind] += 1
            firsts.setdefault(kind, f"{item.name}: {item.reason}")
    sentences = [f"set aside: {count} {_first(count, firsts[kind])}" for kind, count in counts.most_common(_REASONS)]
    return sentences + [f"set aside: {len(counts) - _REASONS} more reasons"] * (len(counts) > _REASONS)


def _kind(reason: str) -> str:
    """Group reasons that differ only in the quoted names."""
    return reason.partition("'")[0].partition(" (")[0]


def _first(count: int, example: str) -> str:
    short = example if len(example) <= _CHARACTERS else f"{example[:_CHARACTERS]}..."
    return f"files, the first is {short}" if count > 1 else f"file, {short}"


def _cut(items: list[Item], framing: Framing) -> list[str]:
    """Return the mean share that is cut away, estimated from some images."""
    some = items[:: max(1, len(items) // _SAMPLE)][:_SAMPLE]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files that Pillow reads all the same
        shares = [share for item in some if (share := _share(item, framing)) is not None]
    mean = sum(shares) / len(shares) if shares else 0.0
    if mean < 0.005:
        return []
    whole = "a box" if framing.is_boxed else "an image"
    hint = "" if framing.fit == "pad" else "; --fit pad keeps all of it"
    return [f"cut: the {framing.name} leaves out {mean:.0%} of {whole} on average ({len(shares)} were looked at){hint}"]


def _share(item: Item, framing: Framing) -> float | None:
    try:
        with Image.open(io.BytesIO(item.read()), formats=FORMATS) as image:
            width, height = image.size
        if item.box:
            left, top, right, bottom = item.box.area(width, height)
            width, height = right - left, bottom - top
    except (
        DatasetError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        return None
    return framing.cut(width, height)
