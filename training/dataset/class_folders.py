"""Finds the folders that are the classes, by the names that repeat."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from training.dataset import source_paths
from training.dataset.class_names import class_name
from training.dataset.folder_tree import Folder, build_tree
from training.dataset.vocabulary import is_beside_data, is_container, is_copy, split_of
from training.errors import DatasetError

_STRAY_PICTURES = 2
LOOSE = "is in no class folder, although most other images are"


@dataclass
class Layout:
    """Labels of images by their folders, and images outside of all classes."""

    labels: dict[str, str] = field(default_factory=dict)
    stray: list[str] = field(default_factory=list)
    merged: tuple[str, ...] = ()
    """Folders with the same classes that were merged, e.g. train and test."""
    within: str | None = None
    """Example of a folder within a class. Such folders are ignored."""


@dataclass
class _ClassLevel:
    """The folders whose subfolders are the classes."""

    parents: list[Folder]
    merged: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    """Class names to use if a parent has further folders; empty: all."""


def find_classes(images: Iterable[str], downloads: frozenset[str] = frozenset()) -> Layout:
    """Find the level of class folders. Raises DatasetError when two levels are possible.

    `downloads` are the folders of unpacked downloads of the service, with the classes in their folder `images`.
    """
    top = build_tree(images)
    found = _of_downloads(top, downloads) or _parents(top)
    labels: dict[str, str] = {}
    names: set[str] = set()
    for parent in found.parents:
        for name, folder in _classes(parent, found):
            names.add(name)
            labels |= dict.fromkeys(folder.all(), class_name(name))
    # One class is no distinction: its images are unlabelled.
    if len(names) < 2:
        return Layout(merged=found.merged)
    stray = [name for name in top.all() if name not in labels]
    return Layout(labels, stray, found.merged, _within(found))


def _within(found: _ClassLevel) -> str | None:
    folders = (f for parent in found.parents for _, folder in _classes(parent, found) for f in folder.inner.values())
    return next(("/".join(folder.path) for folder in folders), None)


def by_upper(images: Iterable[str]) -> Layout:
    """Use the topmost folders that differ between images as the classes, whatever their names are."""
    top = build_tree(images)
    while len(top.inner) == 1 and not top.direct:
        (top,) = top.inner.values()
    labels = {image: class_name(name) for name, folder in top.inner.items() for image in folder.all()}
    return Layout(labels, list(top.direct))


def by_parent(images: Iterable[str]) -> Layout:
    """Use the parent folder of each image as its class."""
    parents = {name: (source_paths.folders(name) or ("",))[-1] for name in images}
    labels = {name: class_name(parent) for name, parent in parents.items() if parent}
    return Layout(labels, [name for name, parent in parents.items() if not parent])


def _classes(parent: Folder, found: _ClassLevel) -> Iterator[tuple[str, Folder]]:
    strays = _strays(list(parent.inner.values()))
    for name, folder in parent.inner.items():
        if name not in strays and (not found.only or class_name(name) in found.only):
            yield name, folder


def _strays(folders: list[Folder]) -> set[str]:
    """Return folders like docs: with the name of additional material, and much smaller than every class."""
    others = [folder.total for folder in folders if not is_beside_data(folder.name)]
    if not others:
        return set()
    least = min(others)
    return {f.name for f in folders if is_beside_data(f.name) and 2 * f.total < least}


def _of_downloads(folder: Folder, downloads: frozenset[str]) -> _ClassLevel | None:
    """Return the classes of several downloads, each of which may have a different class."""
    while len(folder.inner) == 1 and not folder.direct:
        (folder,) = folder.inner.values()
    inner = list(folder.inner.values())
    if folder.direct or len(inner) < 2 or not all("/".join(f.path) in downloads for f in inner):
        return None
    parents = [f.inner["images"] for f in inner if "images" in f.inner and f.inner["images"].inner]
    return _ClassLevel(parents, tuple(f.name for f in inner))


def _parents(folder: Folder) -> _ClassLevel:
    """Return the folders whose subfolders are classes; none if the images have no classes."""
    inner = list(folder.inner.values())
    # At least half of the images lie in this folder itself.
    if not inner or 2 * len(folder.direct) >= folder.total:
        return _ClassLevel([])
    if len(inner) == 1:
        return _parents(inner[0])
    below = {f.name: _below(f) for f in inner}
    # Checked before single levels, because train and test look like two classes.
    copies = _copies(inner, below)
    if copies:
        return _merged(copies, below)
    holders = [f for f in inner if below[f.name].parents]
    containers = [f for f in holders if is_container(f.name)]
    if len(holders) == len(containers) == 1:
        return below[containers[0].name]
    if len(holders) == 1 and _are_strays([f for f in inner if f is not holders[0]], holders[0], below):
        return below[holders[0].name]
    _check_one_level(folder, holders, below)
    return _ClassLevel([folder])


def _below(folder: Folder) -> _ClassLevel:
    try:
        return _parents(folder)
    except DatasetError:  # in doubt, which the level above may settle
        return _ClassLevel([folder])


def _copies(inner: list[Folder], below: dict[str, _ClassLevel]) -> list[Folder]:
    """Return folders that hold parts of one data set: splits, numbered parts, downloads."""
    splits = [f for f in inner if split_of((f.name,))]
    rest = [f for f in inner if f not in splits]
    if len({split_of((f.name,)) for f in splits}) > 1 or (splits and not rest):
        return splits
    total = sum(f.total for f in inner)
    are_strays = all(10 * f.total <= total or is_beside_data(f.name) for f in rest)
    if are_strays and any(below[f.name].parents for f in splits):
        return splits
    holders = [f for f in inner if below[f.name].parents]
    if len(holders) < 2 or len(holders) < len(inner) / 2:
        return []
    if all(is_copy(f.name) for f in holders) and _shared(holders, below):
        return holders
    is_wrapped = all(is_container(p.name) and p is not f for f in holders for p in below[f.name].parents)
    return holders if is_wrapped else []


def _merged(copies: list[Folder], below: dict[str, _ClassLevel]) -> _ClassLevel:
    """Merge the classes of several copies. A copy with only some classes is searched at the same place."""
    places = {p.path[len(f.path) :] for f in copies for p in below[f.name].parents}
    names = tuple(f.name for f in copies)
    parents = [p for f in copies for p in below[f.name].parents]
    known = frozenset(class_name(name) for p in parents for name, _ in _classes(p, _ClassLevel([])))
    others = [_at(f, place) for f in copies if not below[f.name].parents for place in sorted(places)]
    parents += [p for p in others if p is not None]
    return _ClassLevel(parents, names + tuple(n for f in copies for n in below[f.name].merged), known)


def _at(folder: Folder, place: tuple[str, ...]) -> Folder | None:
    found: Folder | None = folder
    for part in place:
        found = found.inner.get(part) if found else None
    return found


def _labels(folder: Folder, below: dict[str, _ClassLevel]) -> set[str]:
    found = below[folder.name]
    return {class_name(name) for parent in found.parents for name, _ in _classes(parent, found)}


def _shared(holders: list[Folder], below: dict[str, _ClassLevel]) -> list[str]:
    """Return the class names that occur in more than one folder, if there are several."""
    seen: set[str] = set()
    twice: set[str] = set()
    for folder in holders:
        labels = _labels(folder, below)
        twice |= seen & labels
        seen |= labels
    return sorted(twice) if len(twice) > 1 else []


def _are_strays(beside: list[Folder], holder: Folder, below: dict[str, _ClassLevel]) -> bool:
    """Return whether folders are not classes: each has one or two pictures, and all classes have more.

    Raises DatasetError if that is uncertain: few pictures, but more than two.
    """
    found = below[holder.name]
    least = min(folder.total for parent in found.parents for _, folder in _classes(parent, found))
    if any(folder.total >= least for folder in beside):
        return False
    if all(folder.total <= _STRAY_PICTURES for folder in beside):
        return True
    if sum(folder.total for folder in beside) * 10 <= holder.total:
        raise _question(sorted([holder.name, *(f.name for f in beside)]), sorted(_labels(holder, below)))
    return False


def _check_one_level(folder: Folder, holders: list[Folder], below: dict[str, _ClassLevel]) -> None:
    shared = _shared(holders, below)
    if shared:
        raise _question(sorted(folder.inner), shared)


def _question(upper: list[str], lower: list[str]) -> DatasetError:
    return DatasetError(
        f"two levels of folders could be the classes: {_some(upper)} or, below them, {_some(lower)}; "
        "use --classes-from folders for the upper level, parent for the folder of each image, or none"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
